"""``MASK``: the cells that classes, bits and expressions keep, in pictures and in values."""

import json

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import open_context
from datacube.model.fields import Category, Field
from services.wms import service
from tests.cubes import make_cube
from tests.protocol.pictures import EXACT, Maps, cells, root_of

CELLS = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
CLASS = np.arange(10) % 4  # of each column, on the first day; one more on the second
DAYS = ("2020-01-01", "2020-01-02")
CLASSES = (Category(0, "none"), Category(1, "clear_land"), Category(2, "Open water"))


def formula(t, k, f, y, x):
    """Values, then classes of the columns, then bits: 2 to the power of the class."""
    kind = (x + t) % 4
    return np.select([f == 0, f == 1], [10 * y + x, kind], 2**kind)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    url = tmp_path_factory.mktemp("masks")
    fields = (
        Field("v", "int16", nil=-1),
        Field("kind", "uint8", categories=CLASSES),
        Field("qa-60", "uint16"),
    )
    make_cube(url, "m", times=DAYS, fields=fields, width=10, height=5, formula=formula)
    config = Config(cubes={"m": CubeSettings(styles=(EXACT,))})
    return Maps(open_context(str(url), config), service, "/wms")


def shown(maps, mask, time="2020-01-01"):
    return maps.raw(
        "VERSION=1.3.0&REQUEST=GetMap&LAYERS=m.v&STYLES=exact&CRS=CRS:84&BBOX=-180,-90,180,90"
        f"&WIDTH=10&HEIGHT=5&FORMAT=image/png&TRANSPARENT=TRUE&TIME={time}&MASK={mask}"
    )


@pytest.mark.parametrize(
    ("mask", "kept"),
    [
        ("kind:1", CLASS == 1),
        ("kind:1,2", (CLASS == 1) | (CLASS == 2)),
        ("kind:open water", CLASS == 2),
        ("KIND:clear-land", CLASS == 1),
        ("!kind:clear_land,3", (CLASS != 1) & (CLASS != 3)),
        ("!qa-60:bit3", CLASS != 3),
        ('"qa-60":bit0,bit1', CLASS < 2),
        ("kind>=2", CLASS >= 2),
        ("kind!=0 and bitand(%22qa-60%22,6)==4", CLASS == 2),
        ("v%2510<5", np.arange(10) < 5),
    ],
)
def test_the_cells_that_are_kept(maps, mask, kept):
    np.testing.assert_array_equal(cells(shown(maps, mask)), np.where(kept, CELLS, np.nan))


def test_of_several_steps_the_latest_one_that_is_kept(maps):
    found = cells(shown(maps, "kind:1", "2020-01-01/2020-01-02"))
    np.testing.assert_array_equal(found, np.where((CLASS == 1) | (CLASS == 0), CELLS, np.nan))


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ("kind:ice", "1 (clear_land)"),
        ("v:ice", "give numbers, or bitN"),
        ("nothing:1", "nothing"),
        ("kind%2B1", "condition"),
        ("kind>", "column 6"),
        pytest.param(f"kind:{'1' * 5000}", "no class '111", id="digits"),
        pytest.param(f"{'%20' * 100_000}kind kind", "at most 2000", id="blanks"),
    ],
)
def test_masks_that_are_none(maps, mask, words):
    assert words in "".join(root_of(shown(maps, mask)).itertext())


@pytest.mark.parametrize(("column", "value"), [(1, 21), (2, None)])
def test_values_under_the_picture(maps, column, value):
    answer = maps.raw(
        "VERSION=1.3.0&REQUEST=GetFeatureInfo&LAYERS=m.v&QUERY_LAYERS=m.v&STYLES=exact&CRS=CRS:84"
        "&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&INFO_FORMAT=application/json&TIME=2020-01-01"
        f"&MASK=kind:1&I={column}&J=2"
    )
    (feature,) = json.loads(answer.body)["features"]
    assert feature["properties"]["value"] == value


def test_a_range_is_measured_of_the_cells_that_are_kept(maps):
    """Whatever other cells a range has been measured of before."""
    ranges = []
    for mask in ("v<20", "v>=20", "v<20"):
        answer = maps.raw(
            "REQUEST=GetMetadata&ITEM=minmax&LAYERNAME=m.v&TIME=2020-01-01&MASK=" + mask
        )
        ranges.append(json.loads(answer.body))
    assert ranges[0] == ranges[2]
    assert ranges[0]["max"] < 20 <= ranges[1]["min"]
