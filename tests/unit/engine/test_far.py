"""Behind a network what is needed together is asked for together."""

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage
from datacube.engine.coverage_stream import stream_coverage
from datacube.engine.map import render_map
from datacube.errors import StorageError
from datacube.model.axis import IrregularAxis
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, LayerRequest, MapQuery, Slice, TimeChoice
from datacube.model.time import TimeRange
from datacube.render.style import Channel, ColorRamp, Composite
from datacube.store.cache import ChunkCache
from datacube.store.cube import open_cube
from datacube.store.timeseries import read_series
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import FarStore

CHUNK = r"/c(/\d+)+$"
DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")
BANDS = tuple(Field(name, "int16", nil=-1) for name in ("red", "green", "blue"))
STYLES = (
    Composite("rgb", "", *(Channel(one.name, 0, 20_000) for one in BANDS)),
    ColorRamp("ratio", "", "ratio", "viridis", 0, 2, expression="red / (green + blue)"),
)
FIRST = Slice("t", "2020-01-01")


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    store = open_store(str(tmp_path_factory.mktemp("store")))
    depth = IrregularAxis("depth", np.array([0.5, 10.0, 20.0, 50.0]), "m", "depth")
    make_cube(store, "bands", width=60, height=40, times=DAYS, fields=BANDS)
    make_cube(store, "deep", width=60, height=40, times=DAYS, axes=(depth,))
    make_cube(store, "long", width=60, height=40, times=DAYS, series=3)
    return store


@pytest.fixture
def far(near):
    return FarStore(near)


def context_of(store):
    return make_context(store, Config(cubes={"bands": CubeSettings(styles=STYLES)}))


def drawn(context, style, **said):
    grid = RectifiedGrid.from_bbox(BoundingBox(-170, -80, 170, 80, Crs.parse("CRS:84")), 50, 30)
    query = MapQuery((LayerRequest("bands", style, **said),), grid, (1, 2, 3), transparent=True)
    image = render_map(context, query).image
    return image.pixels if hasattr(image, "pixels") else image.index


@pytest.mark.parametrize(
    ("style", "said", "count"),
    [
        ("rgb", {}, 3),
        ("ratio", {}, 3),
        ("ratio", {"time": TimeChoice(TimeRange(None, None)), "aggregate": "max"}, 3),
    ],
)
def test_the_fields_of_a_map(near, far, style, said, count):
    context = context_of(far)
    assert context.catalog.version
    far.expect(CHUNK, count)
    assert np.array_equal(drawn(context, style, **said), drawn(context_of(near), style, **said))


def test_the_levels_of_a_coverage(near, far):
    query, context = CoverageQuery("deep", (FIRST,)), context_of(far)
    expected = get_coverage(context_of(near), query).blocks["v"].data
    far.expect(CHUNK, 4)
    assert np.array_equal(get_coverage(context, query).blocks["v"].data, expected)
    context.cache.clear()
    far.expect(CHUNK, 4)
    blocks = list(stream_coverage(context, query).by_field())
    assert np.array_equal(np.stack([one.data.squeeze() for one in blocks]), expected.squeeze())


def test_a_window_of_the_copy_for_long_times(near, far):
    cells = slice(3, 37), slice(5, 58)
    expected = read_series(open_cube(near, "long"), "v", (), *cells)
    cube = open_cube(far, "long", ChunkCache())
    far.expect("/series/v/", 12)
    assert np.array_equal(read_series(cube, "v", (), *cells), expected)
    assert far.asked_together


def test_what_fails_is_told_and_the_rest_is_given_up(far):
    cube = open_cube(far, "long", ChunkCache())
    far.expect("/series/v/", 2)
    far.patience = 0.0
    with pytest.raises(StorageError, match="was asked for alone"):
        read_series(cube, "v", (), slice(0, 40), slice(0, 60))
