"""Many steps made one: as stored, region by region, by value and by what is read for it."""

from dataclasses import replace

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import make_context
from datacube.engine.map import map_of, plan_map, render_map
from datacube.engine.places import locate
from datacube.engine.reducers import reducer_of
from datacube.engine.values import find_values
from datacube.engine.wanted import wanted_field
from datacube.errors import InvalidParameter, InvalidTime
from datacube.model.axis import IrregularAxis
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery, TimeChoice, Trim
from datacube.model.time import TimeRange, Timestamp
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore

WORLD = BoundingBox(-180, -90, 180, 90, CRS84)
ALWAYS = TimeChoice(TimeRange(None, None))
DAYS = tuple(np.arange("2021-01-01", "2021-03-11", dtype="datetime64[D]").astype(str))


def newest(stack, axis):
    """The last valid value of each cell."""
    place = len(stack) - 1 - np.isfinite(stack)[::-1].argmax(axis)
    return np.take_along_axis(stack, place[None], axis)[0]


NUMPY = {
    "mean": np.nanmean, "sum": np.nansum, "min": np.nanmin, "max": np.nanmax,
    "std": np.nanstd, "var": np.nanvar, "median": np.nanmedian,
    "range": lambda stack, axis: np.nanmax(stack, axis) - np.nanmin(stack, axis),
    "p90": lambda stack, axis: np.nanpercentile(stack, 90, axis=axis),
    "count": lambda stack, axis: np.isfinite(stack).sum(axis=axis),
    "last": newest,
    "first": lambda stack, axis: newest(stack[::-1], axis),
    "any": lambda stack, axis: (np.nan_to_num(stack) != 0).any(axis),
    "all": lambda stack, axis: (np.nan_to_num(stack, nan=1) != 0).all(axis),
}  # fmt: skip
FIELDS = (
    Field("up", "int16", nil=-32768, scale=0.1, offset=-20.0, uom="Cel"),
    Field("down", "uint8", nil=255, scale=-0.5, offset=10.0),
    Field("plain", "int16", nil=0),
    Field("real", "float32", nil=np.nan),
)


def gappy(t, k, f, y, x):
    """Every fourth value is missing."""
    value = (37 * t + 11 * y + 5 * x + 40 * k) % 200 + 1
    return np.where((t + y + 2 * x) % 4 == 0, FIELDS[f].nil, value)


def physical(f, height=18, width=36):
    """Physical values (t, y, x), NaN where missing."""
    y, x = np.mgrid[0:height, 0:width]
    raw = np.array([gappy(t, 0, f, y, x) for t in range(len(DAYS))], float)
    one = FIELDS[f]
    return np.where((raw == one.nil) | np.isnan(raw), np.nan, raw * one.scale + one.offset)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("store"))))
    options = {"times": DAYS, "formula": gappy}
    small = {"fields": FIELDS, "width": 36, "height": 18, "chunks": {"x": 16, "y": 16}}
    make_cube(store, "plain", levels=2, **small, **options)
    large = {"fields": FIELDS[:1], "width": 180, "height": 90, "levels": 1}
    make_cube(store, "short", **large, **options)
    make_cube(store, "long", series=16, **large, **options)
    return make_context(store, Config())


def found(context, cube_id, name, method, grid, request=None):
    cube = context.catalog.cube(cube_id)
    level, cells = map_of(context, cube, grid)
    asked = request or LayerRequest(cube_id, time=ALWAYS)
    wanted = wanted_field(cube.description.range_type.field(name))
    reducer = reducer_of(cube, method)
    return find_values(context, cube, wanted, level.number, cells, locate(cube, asked), reducer)


@pytest.mark.parametrize("method", NUMPY)
@pytest.mark.parametrize("f", range(4))
def test_stored_values_reduced_equal_physical_ones(context, method, f):
    stack = physical(f)
    result = found(context, "plain", FIELDS[f].name, method, RectifiedGrid.from_bbox(WORLD, 36, 18))
    assert result.valid.all()
    assert result.data.dtype == reducer_of(context.catalog.cube("plain"), method).dtype_of(
        FIELDS[f].physical_dtype
    )
    np.testing.assert_allclose(result.data, NUMPY[method](stack, axis=0), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", ["mean", "p90", "last", "count"])
@pytest.mark.parametrize(
    ("crs", "box"),
    [
        ("EPSG:3857", (-2e7, -1.5e7, 2e7, 1.5e7)),
        ("EPSG:3035", (2e6, 1e6, 7e6, 6e6)),
        ("EPSG:3995", (-9e6, -9e6, 9e6, 9e6)),
        ("OGC:CRS84", (150, -30, 210, 30)),
        ("OGC:CRS84", (-20.2, -7.1, 12.4, 9.9)),
    ],
)
def test_cells_are_reduced_before_they_become_pixels(context, method, crs, box):
    """Pixels near and far, beyond the cube and over the seam: nearest of the reduced cells."""
    grid = RectifiedGrid.from_bbox(BoundingBox(*box, Crs.parse(crs)), 61, 47)
    cube = context.catalog.cube("plain")
    level, cells = map_of(context, cube, grid)
    assert level.number == 0
    result = found(context, "plain", "up", method, grid)
    rows, columns = cells.rows, cells.columns
    if rows.ndim == 1:
        rows, columns = np.broadcast_arrays(rows[:, None], columns[None])
    inside = (rows >= 0) & (columns >= 0)
    wanted = NUMPY[method](physical(0), axis=0)[rows, columns]
    np.testing.assert_allclose(result.data[inside], wanted[inside], rtol=1e-9)
    assert (result.valid == (inside | (method == "count"))).all()


def test_blocks_and_bands_of_any_size_give_the_same(context, monkeypatch):
    grid = RectifiedGrid.from_bbox(WORLD, 36, 18)
    methods = ("mean", "std", "min", "median", "first")
    whole = [found(context, "plain", "up", one, grid).data for one in methods]
    monkeypatch.setattr("datacube.engine.reduction._BLOCK_CELLS", 1)
    monkeypatch.setattr("datacube.engine.reduction._STACK_BYTES", 1)
    for one, data in zip(methods, whole, strict=True):
        np.testing.assert_allclose(found(context, "plain", "up", one, grid).data, data, rtol=1e-12)


@pytest.mark.parametrize("method", ["mean", "median", "max", "last"])
def test_few_cells_of_many_steps_come_from_the_series_copy(context, method):
    grid = RectifiedGrid.from_bbox(BoundingBox(-5, -5, 15, 15, CRS84), 8, 8)
    store = context.catalog.cube("long").store.store
    context.cache.clear()
    store.reset()
    result = found(context, "long", "up", method, grid)
    series = [key for key in store.keys if "/series/" in key]
    assert bool(series) == (method != "last")
    np.testing.assert_allclose(
        result.data, found(context, "short", "up", method, grid).data, rtol=1e-12
    )


def test_a_reduced_map_reads_the_overview(context):
    """Half as many pixels: one chunk of the second level for each step."""
    context.cache.clear()
    store = context.catalog.cube("plain").store.store
    store.reset()
    grid = RectifiedGrid.from_bbox(WORLD, 18, 9)
    query = MapQuery((LayerRequest("plain.up", time=ALWAYS, aggregate="mean"),), grid)
    render_map(context, query)
    assert store.chunks_read == 2 * len(DAYS)
    assert all("/overviews/1/up/" in key for key in store.keys)
    mean = found(context, "plain", "up", "mean", grid)
    cube = context.catalog.cube("plain").store
    steps = [
        np.concatenate([cube.chunk("up", 1, (t, 0, column))[0, :9] for column in (0, 1)], axis=1)
        for t in range(len(DAYS))
    ]
    stack = np.array(steps, float)[:, :, :18]
    wanted = np.nanmean(np.where(stack == -32768, np.nan, stack * 0.1 - 20), axis=0)
    np.testing.assert_allclose(mean.data, wanted, rtol=1e-9)


@pytest.mark.parametrize(
    ("when", "every", "window", "steps"),
    [
        ("2021-02-17", "month", "", range(31, 59)),
        ("2021-02-17", "dekad", "", range(41, 51)),
        ("2021-02-17", "season", "", range(59)),
        ("2021-02-17", "P8D", "", range(44, 52)),
        ("2021-02-17", "", "7", range(41, 48)),
        ("2021-02-17", "", "P10D", range(38, 48)),
        ("2021-01-05", "", "7", range(0)),
    ],
)
def test_an_instant_stands_for_its_period_or_window(context, when, every, window, steps):
    request = LayerRequest(
        "plain", time=TimeChoice(Timestamp.parse(when)), aggregate="mean", every=every,
        window=window,
    )  # fmt: skip
    places = locate(context.catalog.cube("plain"), request)
    assert sorted(place[0] for place in places.candidates) == list(steps)
    if not steps:
        assert "the window is not whole" in places.notes[0]
        return
    result = found(context, "plain", "up", "mean", RectifiedGrid.from_bbox(WORLD, 36, 18), request)
    known = np.isfinite(physical(0)[steps.start : steps.stop]).any(axis=0)
    assert (result.valid == known).all()
    np.testing.assert_allclose(
        result.data[known], np.nanmean(physical(0)[steps.start : steps.stop][:, known], axis=0)
    )


def test_a_month_of_360_days_has_30(tmp_path):
    store = open_store(str(tmp_path))
    times = [f"1999-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 31)]
    make_cube(store, "even", times=times, calendar="360_day")
    cube = make_context(store, Config()).catalog.cube("even")
    when = TimeChoice(Timestamp.parse("1999-02-30"))
    for every, count in (("month", 30), ("dekad", 10), ("year", 90)):
        request = LayerRequest("even", time=when, aggregate="mean", every=every)
        assert len(locate(cube, request).candidates) == count


def test_a_range_of_another_axis_is_reduced(tmp_path):
    store = open_store(str(tmp_path))
    depth = IrregularAxis("depth", np.array([0.0, 10.0, 50.0, 200.0]), "m")
    make_cube(store, "deep", times=DAYS[:2], axes=(depth,))
    context = make_context(store, Config())
    grid = RectifiedGrid.from_bbox(WORLD, 20, 10)
    y, x = np.mgrid[0:10, 0:20]
    request = LayerRequest("deep", places=(Trim("depth", 5.0, 60.0),), aggregate="mean")
    cube = context.catalog.cube("deep")
    assert locate(cube, request).candidates == ((1, 2), (1, 1))
    mean = found(context, "deep", "v", "mean", grid, request)
    np.testing.assert_array_equal(mean.data, 1000 + 10 * y + x + 150_000)
    always = replace(request, time=ALWAYS)
    total = found(context, "deep", "v", "sum", grid, always)
    np.testing.assert_array_equal(total.data, 4 * (500 + 10 * y + x + 150_000))
    first = found(context, "deep", "v", "first", grid, request)
    np.testing.assert_array_equal(first.data, 1000 + 10 * y + x + 100_000)
    with pytest.raises(InvalidTime, match="add AGG"):
        locate(cube, replace(request, aggregate=""))


def clouded(t, k, f, y, x):
    """Cloud cover (1) from 0 to 100 by time and place; some values (0) are missing."""
    cover = (37 * t + 13 * x) % 101
    value = np.where((t + x) % 5 == 0, -1, 100 * t + x)
    return np.broadcast_to(cover if f else value, (y + x).shape)


def test_the_least_cloudy_valid_value_of_each_pixel(tmp_path):
    store = open_store(str(tmp_path))
    fields = (Field("red", "int16", nil=-1, scale=0.5), Field("cloud", "uint8"))
    make_cube(store, "sky", times=DAYS[:20], fields=fields, formula=clouded)
    context = make_context(store, Config(cubes={"sky": CubeSettings(cloudiness="cloud")}))
    x, t = np.arange(20), np.arange(20)[:, None]
    missing = (t + x) % 5 == 0
    cover = np.where(missing, 1000, (37 * t + 13 * x) % 101)
    best = len(t) - 1 - cover[::-1].argmin(axis=0)
    grid = RectifiedGrid.from_bbox(WORLD, 20, 10)
    result = found(context, "sky", "red", "leastcloudy", grid, LayerRequest("sky", time=ALWAYS))
    np.testing.assert_array_equal(result.data, np.tile((100 * best + x) * 0.5, (10, 1)))
    cube = context.catalog.cube("sky")
    worst = find_values(
        context, cube, wanted_field(cube.description.range_type.field("red")), 0,
        map_of(context, cube, grid)[1], locate(cube, LayerRequest("sky", time=ALWAYS)),
        reducer_of(cube, "leastcloudy", "0 - cloud"),
    )  # fmt: skip
    cloudiest = len(t) - 1 - np.where(missing, -1, cover)[::-1].argmax(axis=0)
    np.testing.assert_array_equal(worst.data[0], (100 * cloudiest + x) * 0.5)
    bare = make_context(store, Config()).catalog.cube("sky")
    with pytest.raises(InvalidParameter, match="BY=cloud_fraction"):
        reducer_of(bare, "leastcloudy")
    with pytest.raises(InvalidParameter, match="mean takes none"):
        reducer_of(bare, "mean", "cloud")


def test_pictures_of_other_periods_and_ranks_have_other_names(context):
    grid = RectifiedGrid.from_bbox(WORLD, 36, 18)
    when = TimeChoice(Timestamp.parse("2021-02-17"))
    base = LayerRequest("plain.up", time=when, aggregate="mean")
    requests = [
        base, replace(base, every="month"), replace(base, window="3"),
        replace(base, aggregate="leastcloudy", by="down"),
        replace(base, aggregate="leastcloudy", by="real"),
    ]  # fmt: skip
    states = {plan_map(context, MapQuery((one,), grid)).state for one in requests}
    assert len(states) == len(requests)
