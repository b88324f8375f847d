"""Expressions that name fields of other cubes: on the same grid, on another, at each one's time."""

from dataclasses import replace

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings, Limits, ServerSettings, TimePolicy
from datacube.engine.context import make_context
from datacube.engine.explain import explain_map
from datacube.engine.map import plan_map, render_map
from datacube.errors import CoverageNotFound, FieldNotFound, RequestTooLarge
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery, TimeChoice
from datacube.model.time import TimeRange, Timestamp
from datacube.render.style import ColorRamp
from datacube.store.url import open_store
from tests.cubes import add_slices, make_cube, make_description
from tests.positions import distances, tripolar

GRAY = ColorRamp("gray-values", "", "", "gray", 0.0, 255.0, expression="v")
FIELDS = (Field("v", "uint8", nil=255),)
GLOBE = {"width": 36, "height": 18}
FINE = {"width": 72, "height": 36}
MONTH = tuple(f"2020-01-{day:02d}" for day in (1, 11, 21))
OTHER = tuple(f"2020-01-{day:02d}" for day in (3, 13, 23))


def base(t, k, f, y, x):
    """A value by place."""
    return np.asarray(4 * ((y + x) % 20) + 8 * t)


def high(t, k, f, y, x):
    """Another one, larger with time."""
    return np.asarray(4 * ((2 * y + 3 * x) % 15) + 40 * t)


def of_ocean(t, k, f, y, x):
    """By row alone, so that repeated columns show alike."""
    return np.asarray(4 * (y % 30) + 0 * x)


@pytest.fixture
def context(tmp_path):
    store = open_store(str(tmp_path))
    make_cube(store, "a", fields=FIELDS, formula=base, times=MONTH, **GLOBE)
    make_cube(store, "same", fields=FIELDS, formula=high, times=OTHER, **GLOBE)
    make_cube(store, "fine", fields=FIELDS, formula=high, times=None, **FINE)
    make_cube(store, "ocean", fields=FIELDS, formula=of_ocean, times=None, grid=tripolar())
    make_cube(store, "far-away", fields=FIELDS, formula=high, times=None, **GLOBE)
    make_cube(store, "secret", fields=FIELDS, formula=high, times=None, **GLOBE)
    cubes = {
        "a": CubeSettings(styles=(GRAY,), time=TimePolicy(tolerance_ms=6 * 86_400_000)),
        "same": CubeSettings(time=TimePolicy(tolerance_ms=6 * 86_400_000)),
        "secret": CubeSettings(hidden=True),
    }
    return make_context(store, Config(cubes=cubes))


def query(expression, target=None, **request):
    world = BoundingBox(-180, -90, 180, 90, CRS84)
    grid = target or RectifiedGrid.from_bbox(world, 36, 18)
    layer = LayerRequest("a", style="gray-values", expression=expression, **request)
    return MapQuery((layer,), grid, transparent=True)


def shown(context, expression, target=None, **request):
    """Values that the pixels show, -1 where transparent."""
    pixels = render_map(context, query(expression, target, **request)).image.rgba().pixels
    values = pixels[..., 0].astype(int)
    return np.where(pixels[..., 3] == 0, -1, (values + 2) // 4 * 4)


def cells(height=18, width=36):
    return np.arange(height)[:, None], np.arange(width)[None, :]


def at(text):
    return TimeChoice(Timestamp.parse(text))


def test_the_same_grid_is_cell_by_cell(context):
    found = shown(context, "v + same.v", time=at("2020-01-11"))
    # 11 January of the one, the nearest (13 January) of the other
    np.testing.assert_array_equal(found, base(1, 0, 0, *cells()) + high(1, 0, 0, *cells()))
    np.testing.assert_array_equal(
        shown(context, "same.v", time=at("2020-01-21")), high(2, 0, 0, *cells())
    )


def test_each_cube_has_the_time_that_is_nearest_to_the_asked_one(context):
    found = shown(context, "same.v", time=at("2020-01-07"))
    np.testing.assert_array_equal(found, high(0, 0, 0, *cells()))
    # 8 January: 11 January of the layer's cube, 3 January of the other
    found = shown(context, "v - v + same.v", time=at("2020-01-07T23:00:00Z"))
    np.testing.assert_array_equal(found, high(0, 0, 0, *cells()))
    assert (shown(context, "v + same.v", time=at("2021-06-01")) == -1).all()


def test_the_default_is_the_latest_of_each(context):
    found = shown(context, "v + same.v")
    np.testing.assert_array_equal(found, base(2, 0, 0, *cells()) + high(2, 0, 0, *cells()))
    assert plan_map(context, query("v + same.v")).moving


def test_with_an_aggregate_each_step_has_its_own_time(context):
    span = TimeChoice(TimeRange(Timestamp.parse("2020-01-01"), Timestamp.parse("2020-01-31")))
    found = shown(context, "v + same.v", time=span, aggregate="max")
    steps = [base(t, 0, 0, *cells()) + high(t, 0, 0, *cells()) for t in range(3)]
    np.testing.assert_array_equal(found, np.max(steps, axis=0))


@pytest.mark.parametrize("crs", ["CRS:84", "EPSG:3857", "EPSG:3035"])
def test_another_grid_is_the_nearest_cell_at_each_pixel(context, crs):
    box = BoundingBox(-20.3, 32.1, 40.2, 67.9, CRS84).to_crs(Crs.parse(crs))
    target = RectifiedGrid.from_bbox(box, 40, 30)
    found = shown(context, "fine.v", target, time=at("2020-01-01"))
    x, y = np.meshgrid(target.x_centres(), target.y_centres())
    lon, lat = transform(x, y, target.crs, CRS84)
    column, row = np.floor((lon + 180) / 5), np.floor((90 - lat) / 5)
    expected = high(0, 0, 0, row, column)
    assert (found == expected).mean() > 0.995
    both = shown(context, "v + fine.v", target, time=at("2020-01-01"))
    coarse = base(0, 0, 0, np.floor((90 - lat) / 10), np.floor((lon + 180) / 10))
    assert (both == expected + coarse).mean() > 0.995


def test_a_curvilinear_grid_beside_a_regular_one(context):
    target = RectifiedGrid.from_bbox(BoundingBox(-60.3, -40.2, 60, 40, CRS84), 30, 20)
    found = shown(context, "where(v >= 0, ocean.v, nodata)", target, time=at("2020-01-01"))
    x, y = np.meshgrid(target.x_centres(), target.y_centres())
    best = distances(tripolar(), x, y).argmin(axis=1) // tripolar().width
    np.testing.assert_array_equal(found.ravel(), of_ocean(0, 0, 0, best, 0))


def test_a_smooth_picture_reads_the_others_at_its_cells(context):
    found = shown(context, "fine.v", time=at("2020-01-01"), interpolation="bilinear")
    rows, columns = cells()
    np.testing.assert_array_equal(found, high(0, 0, 0, 2 * rows + 1, 2 * columns + 1))


def test_the_state_of_a_map_holds_every_cube(context, tmp_path):
    before = plan_map(context, query("v + same.v", time=at("2020-01-11"))).state
    assert before == plan_map(context, query("v + same.v", time=at("2020-01-11"))).state
    made = make_description("same", fields=FIELDS, **GLOBE)
    store = open_store(str(tmp_path))
    add_slices(store, made, ("2020-01-13",), first=5, formula=base)
    context.catalog._seen = replace(context.catalog._seen, at=-100.0)
    assert plan_map(context, query("v + same.v", time=at("2020-01-11"))).state != before
    alone = plan_map(context, query("v", time=at("2020-01-11"))).state
    assert "same" not in alone


@pytest.mark.parametrize(
    ("expression", "error", "words"),
    [
        (
            "v + nothere.v",
            CoverageNotFound,
            r"line 1, column 5: no other cube 'nothere'; the cubes",
        ),
        ("v + secret.v", CoverageNotFound, r"line 1, column 5: no other cube 'secret'"),
        (
            "v - far-away.v",
            FieldNotFound,
            r"no field 'far'; did you mean .far-away., in quotes for its hyphen\? The fields",
        ),
        ("v-away.v", CoverageNotFound, r"no other cube 'away'; did you mean .far-away., in"),
        ("v +\n same.w", FieldNotFound, r"line 2, column 2: no field 'w'.*The fields are v|the"),
    ],
)
def test_what_is_not_there_is_named_with_its_place(context, expression, error, words):
    with pytest.raises(error, match=words) as failure:
        render_map(context, query(expression))
    assert failure.value.subject == "EXPR"
    assert "secret" not in str(failure.value).replace("'secret'", "")


def test_other_cubes_count_as_work_and_in_the_plan(context, tmp_path):
    limits = Limits(max_cells=36 * 18 * 4)
    small = make_context(open_store(str(tmp_path)), Config(server=ServerSettings(limits=limits)))
    world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)
    for expression, fits in (("v + v", True), ("v + same.v", False)):
        layer = LayerRequest("a", expression=expression)
        if fits:
            assert plan_map(small, MapQuery((layer,), world))
        else:
            with pytest.raises(RequestTooLarge):
                plan_map(small, MapQuery((layer,), world))
    plan = explain_map(context, query("v + same.v"))[0]
    assert plan.fields == ("v", "same.v")
    assert plan.reads.chunks == 2
