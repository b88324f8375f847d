"""Reducers and expressions on maps, by value."""

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage
from datacube.engine.legend import drawn_fields, shown_style
from datacube.engine.map import render_map
from datacube.engine.places import locate
from datacube.engine.values import find_values
from datacube.engine.wanted import wanted_expression, wanted_field
from datacube.errors import FieldNotFound, InvalidExpression, InvalidParameter
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Aggregate, CoverageQuery, LayerRequest, MapQuery, TimeChoice
from datacube.model.time import TimeRange
from datacube.render.legend import legend
from datacube.render.style import ColorRamp
from datacube.slicing.level import map_on_best_level
from datacube.slicing.reduce import reducer
from datacube.store.url import open_store
from services.ows.legends import legend_size
from tests.cubes import make_cube
from tests.stores import CountingStore

DAYS = tuple(f"2020-01-{day:02d}" for day in range(1, 21))
WORLD = BoundingBox(-180, -90, 180, 90, CRS84)
ALWAYS = TimeChoice(TimeRange(None, None))


def cloudy(t, k, f, y, x):
    """Every third observation of a cell is missing (-1)."""
    value = (37 * t + 11 * y + 5 * x + 400 * f) % 1000
    return np.where((t + y + x) % 3 == 0, -1, value)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("store"))))
    fields = (
        Field("red", "int16", nil=-1, scale=0.1, offset=5.0, uom="1"),
        Field("nir", "int16", nil=-1, scale=0.1, offset=5.0, uom="1"),
    )
    make_cube(
        store, "bands", width=36, height=18, times=DAYS, fields=fields, formula=cloudy,
        chunks={"x": 16, "y": 16},
    )  # fmt: skip
    ramp = ColorRamp("ndvi", "NDVI", "ndvi", "RdYlGn", -1, 1, expression="(nir-red)/(nir+red)")
    return make_context(store, Config(cubes={"bands": CubeSettings(styles=(ramp,))}))


@pytest.fixture(scope="module")
def stack():
    """Physical values (field, t, y, x), NaN where missing."""
    y, x = np.mgrid[0:18, 0:36]
    raw = np.array([[cloudy(t, 0, f, y, x) for t in range(20)] for f in range(2)])
    return np.where(raw == -1, np.nan, raw * 0.1 + 5.0)


def found(context, wanted, method, grid=None):
    cube = context.catalog.cube("bands")
    target = grid or RectifiedGrid.from_bbox(WORLD, 36, 18)
    level, cells = map_on_best_level(cube.description.levels, target)
    places = locate(cube, LayerRequest("bands", time=ALWAYS))
    reduce = reducer(method) if method else None
    result = find_values(context, cube, wanted, level.number, cells, places, reduce)
    return np.where(result.valid, result.data.astype(float), np.nan), result


@pytest.mark.parametrize(
    ("method", "numpy"),
    [
        ("mean", np.nanmean), ("min", np.nanmin), ("max", np.nanmax), ("sum", np.nansum),
        ("std", np.nanstd), ("median", np.nanmedian),
        ("p90", lambda stack, axis: np.nanpercentile(stack, 90, axis=axis)),
        ("count", lambda stack, axis: np.isfinite(stack).sum(axis=axis)),
    ],
)  # fmt: skip
def test_a_reducer_equals_numpy(context, stack, method, numpy):
    field = context.catalog.cube("bands").description.range_type.field("red")
    values, _ = found(context, wanted_field(field), method)
    np.testing.assert_allclose(values, numpy(stack[0], axis=0), rtol=1e-6)


def test_quantiles_in_bands_are_the_same(context, stack, monkeypatch):
    monkeypatch.setattr("datacube.engine.reduction._STACK_BYTES", 20_000)
    field = context.catalog.cube("bands").description.range_type.field("red")
    values, _ = found(context, wanted_field(field), "median")
    np.testing.assert_allclose(values, np.nanmedian(stack[0], axis=0), rtol=1e-6)


def test_an_expression_is_evaluated_at_each_step_then_reduced(context, stack):
    description = context.catalog.cube("bands").description
    wanted = wanted_expression(description, "(NIR - red) / (nir + red)")
    red, nir = stack
    values, result = found(context, wanted, "mean")
    np.testing.assert_allclose(values, np.nanmean((nir - red) / (nir + red), axis=0), rtol=1e-5)
    assert result.field.title == "(NIR - red) / (nir + red)"
    newest, _ = found(context, wanted, "")
    last, previous = ((nir[t] - red[t]) / (nir[t] + red[t]) for t in (19, 18))
    np.testing.assert_allclose(newest, np.where(np.isnan(last), previous, last), rtol=1e-5)


def draw(context, **request):
    target = RectifiedGrid.from_bbox(WORLD, 36, 18)
    query = MapQuery((LayerRequest("bands", **request),), target, transparent=True)
    return render_map(context, query).image.rgba().pixels


def test_a_style_may_be_an_expression(context, stack):
    red, nir = stack
    pixels = draw(context, style="ndvi", time=ALWAYS, aggregate="mean")
    index = np.nanmean((nir - red) / (nir + red), axis=0)
    assert (pixels[..., 3] == 255).all()
    greener = pixels[..., 1].astype(int) - pixels[..., 0]
    assert np.corrcoef(greener.ravel(), index.ravel())[0, 1] > 0.9


def test_an_expression_of_the_request_finds_its_range(context):
    pixels = draw(context, time=ALWAYS, aggregate="max", expression="red * 1000")
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 20
    counts = draw(context, style="default", time=ALWAYS, aggregate="count")
    assert len(np.unique(counts.reshape(-1, 4), axis=0)) >= 1


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ({"expression": "red +"}, InvalidExpression, "line 1, column"),
        ({"expression": "rad / nir"}, FieldNotFound, "red"),
        ({"expression": "__import__('os')"}, InvalidExpression, "column"),
        ({"aggregate": "average-ish"}, InvalidParameter, "mean"),
    ],
)
def test_what_cannot_be_meant_is_refused(context, request_, error, words):
    with pytest.raises(error, match=words):
        draw(context, time=ALWAYS, **request_)


def test_a_coverage_of_monthly_means_equals_numpy(tmp_path):
    store = CountingStore(open_store(str(tmp_path)))
    days = np.arange("2021-01-15", "2021-04-10", dtype="datetime64[D]").astype(str)
    make_cube(store, "days", width=6, height=4, times=tuple(days))
    query = CoverageQuery("days", aggregate=Aggregate(("time",), ("mean",), "month"))
    coverage = get_coverage(make_context(store, Config()), query)
    axis = coverage.description.domain.time
    assert axis.iso == tuple(f"2021-{month:02d}-01T00:00:00Z" for month in range(1, 5))
    months = np.array([int(day[5:7]) for day in days])
    cells = 10 * np.arange(4)[:, None] + np.arange(6)
    for at, month in enumerate(range(1, 5)):
        expected = 1000 * np.flatnonzero(months == month).mean() + cells
        np.testing.assert_allclose(coverage.blocks["v"].data[at], expected)
    one = CoverageQuery("days", aggregate=Aggregate(("time",), ("max",)))
    whole = get_coverage(make_context(store, Config()), one)
    assert whole.blocks["v"].data.shape == (4, 6)
    assert (whole.blocks["v"].data == 1000 * (len(days) - 1) + cells).all()


def test_an_expression_has_a_legend(context):
    assert legend(*shown_style(context, LayerRequest("bands", "ndvi"))).shape[0] > 50
    layer = context.catalog.layer("bands")
    for style in layer.styles:
        width, height = legend_size(layer, style)
        assert width > 20
        assert height > 20
    (field,) = drawn_fields(layer, layer.style("ndvi")).values()
    assert field.title == "NDVI"
