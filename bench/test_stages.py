"""What each stage of a picture costs: plan, index arrays, gather, paint, encode."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bench import cubes
from bench.asks import tile_box
from bench.scale import SCALES
from datacube.config.settings import Config
from datacube.engine.context import Context, open_context
from datacube.engine.map import render_map
from datacube.engine.read import plan_field, read_field
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import Level
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery
from datacube.render.encode import encode
from datacube.render.paint import paint
from datacube.render.style import fields_of
from datacube.slicing.cells import IndexMap, ReadPlan
from datacube.slicing.gather import gather
from datacube.slicing.level import map_on_best_level

type Benchmark = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A picture of one layer, taken apart.

    Parameters
    ----------
    layer, style : str
    grid : RectifiedGrid, of the picture
    """

    layer: str
    style: str
    grid: RectifiedGrid


def _tile(z: int, x: int, y: int) -> RectifiedGrid:
    box = BoundingBox(*tile_box(z, x, y), Crs.parse("EPSG:3857"))
    return RectifiedGrid.from_bbox(box, 256, 256)


def _box(crs: str, *ends: float) -> RectifiedGrid:
    return RectifiedGrid.from_bbox(BoundingBox(*ends, Crs.parse(crs)), 1024, 768)


CASES = {
    "W1": Case("sst", "default", _tile(4, 8, 6)),
    "W2": Case("s2", "true-color", _tile(13, 4335, 2727)),
    "W3": Case("sst", "default", _box("OGC:CRS84", -30.0, 10.0, 30.0, 55.0)),
    "W4": Case("s2", "true-color", _box("EPSG:3857", 1.17e6, 6.67e6, 1.19e6, 6.685e6)),
}


@pytest.fixture(scope="session")
def context() -> Context:
    """The small data sets, made where they are absent."""
    scale = SCALES["small"]
    cubes.make_all(scale)
    return open_context(str(scale.home / "store"), Config())


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Each of the four pictures."""
    return CASES[request.param]


def _mapped(context: Context, case: Case) -> tuple[Level, IndexMap]:
    levels = context.catalog.layer(case.layer).cube.description.levels
    return map_on_best_level(levels, case.grid)


def _planned(context: Context, case: Case) -> tuple[Level, dict[str, ReadPlan]]:
    layer = context.catalog.layer(case.layer)
    level, cells = _mapped(context, case)
    known = layer.cube.description.range_type
    names = fields_of(layer.style(case.style))
    return level, {
        name: plan_field(layer.cube.store, known.field(name), level.number, cells) for name in names
    }


def _read(context: Context, case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    layer = context.catalog.layer(case.layer)
    level, plans = _planned(context, case)
    known = layer.cube.description.range_type
    found = {
        name: read_field(
            context.pool, layer.cube.store, known.field(name), level.number, plan, (0,)
        )
        for name, plan in plans.items()
    }
    return {name: one[0] for name, one in found.items()}, {
        name: one[1] for name, one in found.items()
    }


def test_index_arrays(benchmark: Benchmark, context: Context, case: Case) -> None:
    level, cells = benchmark(_mapped, context, case)
    assert cells.shape == case.grid.shape
    assert level.grid.width > 0


def test_plan(benchmark: Benchmark, context: Context, case: Case) -> None:
    layer = context.catalog.layer(case.layer)
    level, cells = _mapped(context, case)
    name = fields_of(layer.style(case.style))[0]
    field = layer.cube.description.range_type.field(name)
    plan = benchmark(plan_field, layer.cube.store, field, level.number, cells)
    assert plan.chunks


def test_gather(benchmark: Benchmark, context: Context, case: Case) -> None:
    """One field, its chunks decoded."""
    layer = context.catalog.layer(case.layer)
    level, plans = _planned(context, case)
    name, plan = next(iter(plans.items()))
    field = layer.cube.description.range_type.field(name)
    chunks = {at: layer.cube.store.chunk(name, level.number, (0, *at))[0] for at in plan.chunks}
    out = np.zeros(plan.map.shape, field.dtype)
    benchmark(gather, plan.parts, chunks, out)
    assert out.any()


def test_read(benchmark: Benchmark, context: Context, case: Case) -> None:
    """All fields, through the cache of decoded chunks."""
    data, valid = benchmark(_read, context, case)
    assert set(data) == set(valid)


def test_decode(benchmark: Benchmark, context: Context, case: Case) -> None:
    """One chunk from the page cache: read, checked, decoded."""
    layer = context.catalog.layer(case.layer)
    level, plans = _planned(context, case)
    name, plan = next(iter(plans.items()))

    def cold() -> Any:
        layer.cube.store.cache.clear()
        return layer.cube.store.chunk(name, level.number, (0, *plan.chunks[0]))

    assert benchmark(cold).size


def test_paint(benchmark: Benchmark, context: Context, case: Case) -> None:
    layer = context.catalog.layer(case.layer)
    style, known = layer.style(case.style), layer.cube.description.range_type
    data, valid = _read(context, case)
    fields = {name: known.field(name) for name in data}
    picture = benchmark(paint, style, fields, data, valid)
    assert picture.shape == case.grid.shape


def test_encode(benchmark: Benchmark, context: Context, case: Case) -> None:
    request = LayerRequest(case.layer, case.style)
    result = render_map(context, MapQuery((request,), case.grid, transparent=True))
    body = benchmark(encode, result.image, "image/png")
    assert body.startswith(b"\x89PNG")


def test_whole_picture(benchmark: Benchmark, context: Context, case: Case) -> None:
    """From the query to the file, chunks decoded."""
    request = LayerRequest(case.layer, case.style)
    query = MapQuery((request,), case.grid, transparent=True)

    def picture() -> bytes:
        return encode(render_map(context, query).image, "image/png")

    assert benchmark(picture).startswith(b"\x89PNG")
