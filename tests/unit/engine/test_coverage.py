"""Coverages by value: trims, slices, seams, scaling, fields; and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage, plan_coverage
from datacube.engine.sample import get_samples
from datacube.errors import (
    AxisNotFound,
    FieldNotFound,
    InvalidScaling,
    InvalidSubset,
    RequestTooLarge,
    SubsetOutOfDomain,
)
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.model.crs import CRS84, Crs
from datacube.model.fields import Field
from datacube.model.query import (
    Aggregate,
    CoverageQuery,
    LayerRequest,
    SampleQuery,
    ScaleFactor,
    ScaleSize,
    Slice,
    TimeChoice,
    Trim,
)
from datacube.model.time import Timestamp
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore

THIRD = Timestamp.parse("2020-01-03")
DAYS = tuple(f"2020-01-{day:02d}" for day in range(1, 11))


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("store"))))
    chunks = {"x": 64, "y": 32}
    make_cube(store, "globe", width=360, height=180, times=DAYS, chunks=chunks)
    make_cube(store, "south_up", width=360, height=180, flip_y=True, transform=None)
    make_cube(store, "pacific", width=360, height=180, transform=(0.5, 1.0, -89.5, 1.0))
    levels = IrregularAxis("depth", np.array([0.5, 10.0, 20.0]), "m", "depth")
    runs = IndexAxis("scenario", 2, labels=("a1b", "e1"))
    fields = (Field("u", "int32"), Field("v", "int32"))
    make_cube(store, "deep", times=DAYS, axes=(levels, runs), fields=fields)
    make_cube(store, "flat", times=None)
    small = Limits(max_coverage_bytes=5_000_000)
    return make_context(store, Config(ServerSettings(limits=small)))


def block(context, *args, field="v", **kwargs):
    return get_coverage(context, CoverageQuery(*args, **kwargs)).blocks[field]


def formula(t, y, x):
    return 1000 * np.asarray(t)[:, None, None] + 10 * np.asarray(y)[:, None] + np.asarray(x)


def test_an_aggregation_that_would_compute_too_much_is_refused(tmp_path):
    store = CountingStore(open_store(str(tmp_path)))
    make_cube(store, times=DAYS[:3])
    context = make_context(store, Config(ServerSettings(limits=Limits(max_reduced_cells=60))))
    row = Slice("Lat", 81.0)
    asked = CoverageQuery("closed", (row,), aggregate=Aggregate(("time",), ("mean",), ""))
    assert get_coverage(context, asked).blocks["v"].data[0, 3] == 1003.0
    with pytest.raises(RequestTooLarge, match=r"200 cells x 3 .* are 600 .* at most 20 cells"):
        get_coverage(context, replace(asked, subsets=()))
    assert get_coverage(context, CoverageQuery("closed")).blocks["v"].data.shape == (3, 10, 20)


def test_a_scale_factor_beyond_all_numbers_is_refused(context):
    with pytest.raises(InvalidScaling, match="the scale factor 1e\\+308 is not possible"):
        plan_coverage(context, CoverageQuery("globe", scaling=ScaleFactor(1e308)))


@pytest.mark.parametrize(
    "scaling", [ScaleFactor(1e9), ScaleSize(10**300, 1), ScaleSize(1, 1_000_001)]
)
def test_a_side_without_end_is_refused_before_it_is_laid_out(context, scaling):
    with pytest.raises(RequestTooLarge, match="a side has at most 1,000,000 cells"):
        plan_coverage(context, CoverageQuery("globe", scaling=scaling))


def test_trims_and_a_slice_of_time(context):
    subsets = (Trim("Lat", 40.0, 50.0), Trim("Long", 10.0, 12.0), Slice("ansi", THIRD))
    found = block(context, "globe", subsets)
    assert (found.data == formula([2], range(40, 50), range(190, 192))[0]).all()
    assert found.valid.all()
    assert found.domain.bbox.edges == (10, 40, 12, 50)


def test_a_cut_over_the_antimeridian_is_joined(context):
    found = block(context, "globe", (Trim("Long", 170.0, -170.0), Trim("Lat", 0.0, 1.0)))
    columns = [*range(350, 360), *range(10)]
    assert (found.data == formula(range(10), [89], columns)).all()
    assert (np.diff(found.domain.rectified.x_centres()) == 1).all()


def test_greenwich_of_a_cube_from_0_to_360(context):
    found = block(context, "pacific", (Trim("Long", -2.0, 2.0), Trim("Lat", -90.0, -89.0)))
    assert (found.data[0] == formula([0], [0], [358, 359, 0, 1])[0]).all()
    assert found.domain.bbox.edges == (-2, -90, 2, -89)


def test_ascending_latitudes_stay_as_they_lie(context):
    found = block(context, "south_up", (Trim("Lat", 80.0, 82.0), Slice("Long", 0.5)))
    assert (found.data[0] == formula([0], [170, 171], [180])[0]).all()
    assert found.domain.rectified.dy == 1.0


def test_every_axis_can_be_cut(context):
    subsets = (
        Slice("depth", 10.0), Trim("scenario", "e1", "e1"), Slice("t", "latest"),
        Slice("Lat", 0.0), Slice("Long", 0.0),
    )  # fmt: skip
    coverage = get_coverage(context, CoverageQuery("deep", subsets, ("v", "u")))
    assert list(coverage.blocks) == ["v", "u"]
    assert coverage.blocks["u"].data.shape == (1, 1, 1)
    cell = 1000 * 9 + 10 * 5 + 10 + 100_000 * (1 * 2 + 1)
    assert coverage.blocks["u"].data.item() == cell
    assert coverage.blocks["v"].data.item() == cell + 10_000_000
    assert [axis.name for axis in coverage.description.domain.axes] == ["scenario"]


@given(st.data())
@settings(max_examples=60)
def test_any_box_equals_numpy(context, data):
    west = data.draw(st.floats(-400, 400))
    width = data.draw(st.floats(0.1, 200))
    south = data.draw(st.floats(-90, 89))
    north = south + data.draw(st.floats(0.01, 60))
    first = data.draw(st.integers(0, 9))
    when = Slice("time", Timestamp.parse(DAYS[first]))
    found = block(context, "globe", (Trim("x", west, west + width), Trim("y", south, north), when))
    grid = found.domain.rectified
    rows = 90 - np.round(grid.y_centres() + 0.5)
    columns = (np.round(grid.x_centres() - 0.5) + 180) % 360
    assert (found.data == formula([first], rows, columns)[0]).all()
    assert grid.bbox.top >= min(north, 90) - 2e-6
    assert grid.width - 2 <= width <= grid.width + 1e-5
    assert abs((grid.bbox.left - west + 180) % 360 - 180) < 1 + 1e-5


def test_a_trim_in_another_crs(context):
    mercator = Crs.parse("EPSG:3857")
    subsets = (Trim("X", 0.0, 1e6, mercator), Trim("Y", 0.0, 1e6, mercator))
    found = block(context, "globe", (*subsets, Slice("t", "latest")))
    assert found.domain.bbox.edges == (0, 0, 9, 9)


def test_scaling_reads_an_overview(context):
    half = block(context, "globe", (Slice("t", "latest"),), scaling=ScaleFactor(0.25))
    assert half.data.shape == (45, 90)
    plan = plan_coverage(context, CoverageQuery("globe", scaling=ScaleSize(90, 45)))
    assert plan.level == 2
    assert plan.chunks == 10 * 2 * 2
    exact = block(context, "globe", (Slice("t", "latest"),), scaling=ScaleFactor(1.0))
    assert (exact.data == formula([9], range(180), range(360))[0]).all()
    twice = block(context, "globe", (Slice("t", "latest"),), scaling=ScaleFactor(2.0))
    assert (twice.data[::2, ::2] == exact.data).all()


def test_a_plan_names_exactly_what_is_read(context):
    store = context.catalog._store
    query = CoverageQuery("globe", (Trim("Lat", 57.0, 59.0), Trim("Long", -117.0, -115.0)))
    plan = plan_coverage(context, query)
    context.cache.clear()
    store.reset()
    get_coverage(context, query)
    assert store.chunks_read == plan.chunks == 10 * 4


@pytest.mark.parametrize(
    ("subsets", "error", "words"),
    [
        ((Trim("Lat", 91.0, 95.0),), SubsetOutOfDomain, "runs from -90 to 90"),
        ((Trim("Lat", 50.0, 40.0),), InvalidSubset, "above"),
        ((Slice("height", 1.0),), AxisNotFound, "Lat, Long, time"),
        ((Slice("Lat", 1.0), Slice("latitude", 2.0)), AxisNotFound, "twice"),
        ((Trim("Long", "east", None),), InvalidSubset, "no number"),
        ((Trim("Long", float("nan"), 1.0),), InvalidSubset, "not finite"),
        ((Slice("time", Timestamp.parse("2031")),), SubsetOutOfDomain, "2020-01-10"),
        ((Trim("time", Timestamp.parse("2020-02-30"), None),), InvalidSubset, "2020-02-30"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(context, subsets, error, words):
    with pytest.raises(error, match=words):
        get_coverage(context, CoverageQuery("globe", subsets))


def test_fields_and_scales_are_checked(context):
    with pytest.raises(FieldNotFound, match="the fields are v"):
        get_coverage(context, CoverageQuery("globe", fields=("w",)))
    for factor in (0.0, -1.0, float("inf")):
        with pytest.raises(InvalidScaling):
            get_coverage(context, CoverageQuery("globe", scaling=ScaleFactor(factor)))


def test_beyond_the_end_is_clamped_and_said(context):
    years = Trim("time", Timestamp.parse("2020-01-09"), Timestamp.parse("2022"))
    query = CoverageQuery("globe", (years, Trim("Lat", 80.0, 99.0)))
    coverage = get_coverage(context, query)
    assert coverage.blocks["v"].data.shape == (2, 10, 360)
    assert any("2020-01-10" in note for note in coverage.notes)
    assert any("Lat" in note for note in coverage.notes)


def test_too_much_is_refused_with_what_would_pass(context):
    query = CoverageQuery("deep", scaling=ScaleSize(400, 400))
    with pytest.raises(RequestTooLarge, match="it scaled to at most 91 x 91"):
        get_coverage(context, query)


def test_a_cube_without_time(context):
    assert block(context, "flat").data.shape == (10, 20)


@pytest.mark.parametrize(
    ("x", "y", "crs", "row", "column"),
    [
        (0.5, 0.5, "CRS:84", 89, 180), (179.99, 89.99, "EPSG:4326", 0, 359),
        (190.5, 0.5, "CRS:84", 89, 10), (0.0, 0.0, "EPSG:3857", None, None),
        (1.2e6, 6.5e6, "EPSG:3857", 39, 190),
    ],
)  # fmt: skip
def test_a_sample_is_the_cell_that_holds_the_place(context, x, y, crs, row, column):
    when = TimeChoice(Timestamp.parse("2020-01-04"))
    query = SampleQuery((LayerRequest("globe", time=when),), x, y, Crs.parse(crs))
    (sample,) = get_samples(context, query).samples
    if row is not None:
        assert sample.value == 3000 + 10 * row + column
    assert sample.time == "2020-01-04T00:00:00Z"
    assert sample.distance < 111_000


def test_a_sample_outside_is_empty(context):
    query = SampleQuery((LayerRequest("globe"),), 0.0, 95.0, CRS84)
    (sample,) = get_samples(context, query).samples
    assert (sample.value, sample.lon, sample.distance) == (None, None, None)
