"""The demo store is filled once, and a second time costs nothing."""

import re
import shutil

import pytest
from datacube.store.cube import open_cube
from datacube.store.url import open_store

from datacube.errors import SourceError
from services.demo.scene import PASSES
from services.demo.sentinel2 import make_series
from services.demo.store import fill

SIZE = 60


@pytest.fixture
def series(tmp_path):
    return make_series(tmp_path / "safe", size=SIZE, passes=PASSES[:2])


def test_series_becomes_a_cube_and_the_second_time_nothing(tmp_path, series):
    store = str(tmp_path / "store")
    lines: list[str] = []
    fill(store, {"s2-simulated": series}, lines.append)
    fill(store, {"s2-simulated": series}, lines.append)
    assert re.fullmatch(r"s2-simulated: 2 slices added, \d+\.\d MB in \d+\.\d s", lines[0])
    assert lines[1:] == ["s2-simulated: already there"]
    assert open_cube(open_store(store), "s2-simulated").version == 2


def test_refused_source_is_named(tmp_path, series):
    (image,) = series[1].rglob("*_B04_10m.jp2")
    image.write_bytes(b"no image")
    with pytest.raises(SourceError, match="was refused") as caught:
        fill(str(tmp_path / "store"), {"s2-simulated": series}, print)
    assert caught.value.subject == str(series[1])


def test_new_pass_is_added_to_the_others(tmp_path, series):
    store = str(tmp_path / "store")
    fill(store, {"s2-simulated": series}, print)
    more = make_series(series[0].parent, size=SIZE, passes=PASSES[:3])
    shutil.rmtree(series[0])
    lines: list[str] = []
    fill(store, {"s2-simulated": more[1:]}, lines.append)
    assert lines[0].startswith("s2-simulated: 1 slices added")
