"""Sources in any order, late, twice and corrected, give the same cube, value for value."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.ingest.pipeline import ingest
from datacube.store.maintain import verify
from tests.cubes import read_level, time_of
from tests.unit.ingest.products import opened, write_netcdf

DAYS = (1, 2, 3)
STAGES = ("_preliminary", "", "_final")
LAST = {1: 2, 2: 1, 3: 0}  # day -> the highest stage that there is of it
SIDE = np.arange(20) * 0.25


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Files of each day in each stage, and one of two days."""
    folder = tmp_path_factory.mktemp("sources")
    found = []
    for day, last in LAST.items():
        for number, stage in enumerate(STAGES[: last + 1]):
            path = folder / f"sst_202001{day:02d}{stage}.nc"
            found.append(written(path, (day,), 100 * day + number))
    found.append(written(folder / "sst_20200104.nc", (4, 5), 400))
    found.append(str(shutil.copy(found[-1], folder / "again.nc")))
    return found


def written(path: Path, days: Sequence[int], value: int) -> str:
    write_netcdf(path, times=tuple(map(float, days)), lon=SIDE, lat=-SIDE, scale=None)
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_maskandscale(False)
        file["v"][:] += value
    return str(path)


def values_of(store: str) -> dict[tuple[str, int], bytes]:
    cube = opened(store, "sst")
    assert verify(cube) == []
    return {
        (iso, level.number): read_level(cube, "v", t, level.number).tobytes()
        for t, iso in enumerate(time_of(cube).iso)
        for level in cube.description.levels
    }


@pytest.mark.slow
@settings(max_examples=8)
@given(data=st.data())
def test_any_order_gives_the_same_cube(sources, data):
    order = data.draw(st.permutations(range(len(sources))))
    late = data.draw(st.lists(st.sampled_from(range(len(sources))), max_size=3))
    cut = data.draw(st.integers(0, len(order)))
    with tempfile.TemporaryDirectory() as folder:
        straight, any_way = f"{folder}/straight", f"{folder}/any"
        assert ingest(sources, store=straight, cube="sst").exit_code == 0
        for some in (order[:cut], order[cut:], late):
            chosen = [sources[number] for number in some]
            assert not chosen or ingest(chosen, store=any_way, cube="sst").exit_code == 0
        found = values_of(any_way)
        assert found == values_of(straight)
        first = np.frombuffer(found["2020-01-02T00:00:00Z", 0], "i2")[0]
        assert first == 100 + LAST[1]
