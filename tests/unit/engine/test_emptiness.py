"""Maps that show nothing are known without reading; what might show something is not one."""

from dataclasses import replace

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import make_context
from datacube.engine.emptiness import shows_nothing
from datacube.engine.map import draw_map, plan_map
from datacube.model.fields import Field
from datacube.model.query import LayerRequest, MapQuery
from datacube.model.tilesets import web_mercator_quad
from datacube.render.composite import rgba_pixels
from datacube.render.style import ColorRamp
from datacube.store.url import open_store
from services.ows.maps import answer_map
from services.ows.transport import Request
from tests.cubes import make_cube
from tests.stores import CountingStore

NIL = -1
WEB = web_mercator_quad()
GREY = ColorRamp("grey", "", "", "gray", 0.0, 100.0)


def eastern(t, k, f, y, x):
    """The western half has no data."""
    return np.where(x + 0 * y < 256, NIL, 1)


def zero(t, k, f, y, x):
    return 0 * (x + y)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty")
    size = {"width": 512, "height": 256, "chunks": {"x": 128, "y": 128}, "times": None}
    make_cube(folder, "half", fields=(Field("v", "int16", nil=NIL),), formula=eastern, **size)
    make_cube(folder, "zero", fields=(Field("v", "int16"),), formula=zero, **size)
    store = CountingStore(open_store(str(folder)))
    styles = CubeSettings(styles=(GREY, replace(GREY, name="red", missing=(255, 0, 0, 255))))
    return make_context(store, Config(cubes={"half": styles, "zero": styles})), store


def query(layer, z, row, column, style="grey", **options):
    requests = (LayerRequest(layer, style, **options),)
    return MapQuery(requests, WEB.grid_of_tile(z, row, column), transparent=True)


@pytest.mark.parametrize(
    ("asked", "nothing"),
    [
        (query("half", "3", 3, 0), True),
        (query("half", "3", 3, 7), False),
        (query("half", "0", 0, 0), False),
        (query("half", "3", 3, 0, "red"), False),
        (query("half", "3", 3, 0, interpolation="bilinear"), False),
        (query("half", "3", 3, 0, expression="v + 1"), False),
        (query("zero", "3", 3, 0), False),  # what is not written is a value here
    ],
)
def test_what_shows_nothing(world, asked, nothing):
    context, store = world
    store.reset()
    assert shows_nothing(context, plan_map(context, asked)) == nothing
    assert store.chunks_read == 0


def test_its_picture_is_the_same_everywhere_and_clear(world):
    context, store = world
    store.reset()
    one, other = (
        answer_map(context, Request("GET", "/"), query("half", "3", row, 1), "image/png")
        for row in (2, 5)
    )
    assert one.body is other.body
    assert one.header("ETag") != other.header("ETag")
    assert store.chunks_read == 0


PLACED = (
    ("utm", "EPSG:32601", (300_000, 5_000_000, 500_000, 5_200_000)),
    ("dateline", "EPSG:4326", (170, -20, -165, 10)),
    ("half-turn", "EPSG:4326", (200, -20, 350, 60)),
    ("ice", "EPSG:3413", (-2_000_000, -2_000_000, 1_000_000, 1_500_000)),
    ("europe", "EPSG:3035", (2_500_000, 1_500_000, 6_000_000, 5_400_000)),
)


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("placed")
    fields = (Field("v", "int16", nil=NIL),)
    for name, crs, bbox in PLACED:
        size = {"width": 64, "height": 64, "times": None, "fields": fields, "formula": zero}
        make_cube(folder, name, crs=crs, bbox=bbox, **size)
    names = [name for name, *_ in PLACED]
    cubes = {name: CubeSettings(styles=(GREY,)) for name in names}
    return make_context(open_store(str(folder)), Config(cubes=cubes))


@pytest.mark.parametrize("name", [name for name, *_ in PLACED])
def test_beside_a_cube_there_is_nothing(placed, name):
    """What is known by the boxes is true, and is known of most tiles that lie beside the cube."""
    known = empty = 0
    for z, step in (("1", 1), ("3", 1), ("5", 2)):
        matrix = WEB.matrix(z)
        for row in range(0, matrix.rows, step):
            for column in range(0, matrix.columns, step):
                plan = plan_map(placed, query(name, z, row, column))
                assert plan.layers[0].places.candidates
                clear = not rgba_pixels(draw_map(placed, plan))[..., 3].any()
                nothing = shows_nothing(placed, plan)
                assert clear or not nothing, (z, row, column)
                empty, known = empty + clear, known + nothing
    assert empty > 100
    assert known >= 0.9 * empty
