"""Every tile matrix set at every zoom: tiles join to the map of the WMS, limits are exact."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from datacube.config.settings import Config, CubeSettings, Limits, ServerSettings
from datacube.engine.context import open_context
from datacube.model.fields import Field
from datacube.render.style import ColorRamp
from services.ows.tilesets import covered_box, sets_of
from services.wms import service as wms_service
from services.wmts import service
from tests.cubes import make_cube
from tests.protocol.pictures import Maps

SIDE = 4  # tiles of a block, along either direction
NIL = -9999
GREY = ColorRamp("grey", "", "", "gray", 0.0, 255.0)


def pattern(t, k, f, y, x):
    """Neighbouring cells differ by much, so that a cell too far is seen."""
    return (7 * y + 13 * x + (y * x) % 11) % 256


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Cubes of several planes and sizes with overviews."""
    store = tmp_path_factory.mktemp("sets")
    options = {
        "times": None,
        "fields": (Field("v", "int16", nil=NIL),),
        "formula": pattern,
        "chunks": {"y": 128, "x": 128},
    }
    make_cube(store, "globe", width=720, height=360, **options)
    utm = (600_000, 5_690_000, 610_000, 5_700_000)
    make_cube(store, "scene", width=1000, height=1000, crs="EPSG:32632", bbox=utm, **options)
    polar = (-2_000_000, -2_000_000, 2_000_000, 2_000_000)
    make_cube(store, "ice", width=400, height=400, crs="EPSG:3413", bbox=polar, **options)
    names = ("globe", "scene", "ice")
    return open_context(str(store), Config(cubes={n: CubeSettings(styles=(GREY,)) for n in names}))


def pixels(response):
    assert response.status == 200, response.body
    with Image.open(BytesIO(response.body)) as image:
        return np.asarray(image.convert("RGBA"))


def block_of(one, matrix, box, side):
    """First row and column of a block of tiles within a box, and its size in tiles.

    It lies beside the middle, which may be a pole: there a millimetre decides the longitude.
    """
    top, bottom, left, right = one.limits(matrix, box)
    rows, columns = min(side, matrix.rows), min(side, matrix.columns)
    row, column = top + 3 * (bottom - top) // 8, left + 3 * (right - left) // 8
    row, column = min(row, matrix.rows - rows), min(column, matrix.columns - columns)
    return row, column, rows, columns


def side_of(one, matrix):
    """Few tiles at most zooms, for the time that they take; whole blocks at some of them."""
    z = int(matrix.id)
    if one.id.endswith("x2"):
        return 2 if z % 6 == 0 else 1
    return SIDE if z % 6 == 2 else 2


def joined_tiles(wmts, cube, one, matrix, block):
    row, column, rows, columns = block
    query = (
        f"SERVICE=WMTS&REQUEST=GetTile&STYLE=grey&FORMAT=png&LAYER={cube.id}"
        f"&TILEMATRIXSET={one.id}&TILEMATRIX={matrix.id}"
    )
    return np.concatenate(
        [
            np.concatenate(
                [
                    pixels(wmts.raw(f"{query}&TILEROW={row + r}&TILECOL={column + c}"))
                    for c in range(columns)
                ],
                axis=1,
            )
            for r in range(rows)
        ]
    )


def map_of_block(wms, cube, one, matrix, block):
    row, column, rows, columns = block
    width, height = matrix.span
    left, top = matrix.left + column * width, matrix.top - row * height
    corners = (left, top - rows * height), (left + columns * width, top)
    edges = ",".join(repr(edge) for corner in corners for edge in one.crs.ordered(*corner))
    return pixels(
        wms.raw(
            "VERSION=1.3.0&REQUEST=GetMap&STYLES=grey&FORMAT=image/png&TRANSPARENT=TRUE"
            f"&LAYERS={cube.id}&CRS={one.crs.short}&BBOX={edges}"
            f"&WIDTH={columns * matrix.tile_width}&HEIGHT={rows * matrix.tile_height}"
        )
    )


@pytest.mark.parametrize("name", ["globe", "scene", "ice"])
def test_a_block_of_tiles_is_the_map_of_its_box_at_every_zoom(seen, name):
    wmts, wms = Maps(seen, service, "/wmts"), Maps(seen, wms_service, "/wms")
    cube = seen.catalog.cube(name)
    different = []
    for one in sets_of(seen, cube):
        box = covered_box(one, cube.description.domain.bbox)
        for matrix in one.matrices:
            block = block_of(one, matrix, box, side_of(one, matrix))
            joined = joined_tiles(wmts, cube, one, matrix, block)
            whole = map_of_block(wms, cube, one, matrix, block)
            if not np.array_equal(joined, whole):
                share = (joined != whole).any(axis=-1).mean()
                different.append((one.id, matrix.id, float(share)))
    assert different == []


def test_the_finest_native_pixels_are_the_cells(seen):
    wmts = Maps(seen, service, "/wmts")
    for name, set_name in (("scene", "scene__native"), ("ice", "native")):
        cube = seen.catalog.cube(name)
        query = f"SERVICE=WMTS&REQUEST=GetTile&STYLE=grey&FORMAT=png&LAYER={name}"
        finest = len(sets_of(seen, cube)[-1].matrices) - 1
        found = pixels(
            wmts.raw(f"{query}&TILEMATRIXSET={set_name}&TILEMATRIX={finest}&TILEROW=0&TILECOL=1")
        )
        y, x = np.arange(256)[:, None], 256 + np.arange(256)[None, :]
        held = x < cube.description.domain.grid.width
        np.testing.assert_array_equal(found[..., 3] > 0, np.broadcast_to(held, (256, 256)))
        off = np.abs(found[..., 0].astype(int) - pattern(0, 0, 0, y, x))  # rounded to a colour
        assert off[np.broadcast_to(held, off.shape)].max() <= 1


def test_a_larger_tile_covers_the_same_ground(seen):
    wmts = Maps(seen, service, "/wmts")
    query = "SERVICE=WMTS&REQUEST=GetTile&STYLE=grey&FORMAT=png&LAYER=globe"
    larger = pixels(
        wmts.raw(f"{query}&TILEMATRIXSET=WebMercatorQuadx2&TILEMATRIX=2&TILEROW=1&TILECOL=3")
    )
    plain = f"{query}&TILEMATRIXSET=WebMercatorQuad&TILEMATRIX=3"
    four = [
        [pixels(wmts.raw(f"{plain}&TILEROW={row}&TILECOL={column}")) for column in (6, 7)]
        for row in (2, 3)
    ]
    assert larger.shape == (512, 512, 4)
    joined = np.concatenate([np.concatenate(line, axis=1) for line in four])
    np.testing.assert_array_equal(larger, joined)


@pytest.mark.parametrize("name", ["globe", "scene", "ice"])
def test_limits_are_those_of_the_tiles_with_pixels_in_the_box(seen, name):
    """Beside the limits there is nothing, and the tiles at their ends have something."""
    wmts = Maps(seen, service, "/wmts")
    cube = seen.catalog.cube(name)
    for one in sets_of(seen, cube):
        box = covered_box(one, cube.description.domain.bbox)
        top, bottom, left, right = one.limits(one.matrices[min(5, len(one.matrices) - 1)], box)
        assert top <= bottom
        assert left <= right
    (web,) = (one for one in sets_of(seen, cube) if one.id == "WebMercatorQuad")
    matrix = web.matrices[12 if name == "scene" else 4]
    top, bottom, left, right = web.limits(matrix, covered_box(web, cube.description.domain.bbox))
    query = (
        "SERVICE=WMTS&REQUEST=GetTile&STYLE=grey&FORMAT=png&TILEMATRIXSET=WebMercatorQuad"
        f"&LAYER={name}&TILEMATRIX={matrix.id}"
    )
    for column in range(left, right + 1):
        for row in (top - 1, bottom + 1):
            if 0 <= row < matrix.rows:
                tile = pixels(wmts.raw(f"{query}&TILEROW={row}&TILECOL={column}"))
                assert not tile[..., 3].any()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A scene of 40 km in cells of 10 m, without room for chunks in memory."""
    store = tmp_path_factory.mktemp("large")
    utm = (600_000, 5_660_000, 640_960, 5_700_960)
    make_cube(
        store,
        "scene",
        times=None,
        width=4096,
        height=4096,
        crs="EPSG:32632",
        bbox=utm,
        fields=(Field("v", "uint8"),),
        formula=pattern,
    )
    make_cube(
        store,
        "around",
        times=None,
        width=4096,
        height=2048,
        bbox=(0, -90, 360, 90),
        fields=(Field("v", "uint8"),),
        formula=pattern,
    )
    limits = Limits(cache_bytes=1, answer_cache_bytes=1)
    return open_context(str(store), Config(ServerSettings(limits=limits)))


def chunks_of_tile(large, cube, one, matrix, row, column, query=""):
    """How many chunks a tile reads."""
    before = large.cache.chunks_read
    response = Maps(large, service, "/wmts").raw(
        f"SERVICE=WMTS&REQUEST=GetTile&STYLE=default&FORMAT=png&LAYER={cube}&TILEMATRIXSET={one.id}"
        f"&TILEMATRIX={matrix.id}&TILEROW={row}&TILECOL={column}{query}"
    )
    assert response.status == 200, response.body
    return large.cache.chunks_read - before


@pytest.mark.parametrize(("query", "most"), [("", 4), ("&INTERPOLATION=bilinear", 9)])
def test_how_many_chunks_a_tile_of_a_scene_reads(large, query, most):
    """Tile 0/0/0 of the globe reads the coarsest overview, the finest tiles a chunk or four."""
    cube = large.catalog.cube("scene")
    counts = {}
    for one in sets_of(large, cube):
        box = covered_box(one, cube.description.domain.bbox)
        for matrix in one.matrices:
            row, column, rows, columns = block_of(one, matrix, box, 2)
            for r, c in {(0, 0), (row, column), (row + rows - 1, column + columns - 1)}:
                read = chunks_of_tile(large, "scene", one, matrix, r, c, query)
                counts[one.id, matrix.id, r, c] = read
    assert counts["WebMercatorQuad", "0", 0, 0] == 1
    limits = {key: 9 if key[0].endswith("x2") else most for key in counts}
    assert {key: count for key, count in counts.items() if count > limits[key]} == {}
    assert max(counts.values()) >= 2


@pytest.mark.parametrize(("query", "most"), [("", 6), ("&INTERPOLATION=bilinear", 9)])
def test_how_many_chunks_a_tile_over_a_seam_reads(large, query, most):
    """The cube begins at Greenwich: tiles beside it, and that of the whole globe, lie over it."""
    cube = large.catalog.cube("around")
    counts = {}
    for one in sets_of(large, cube):
        if one.id.endswith("x2") or one.crs.key not in {"EPSG:3857", "OGC:CRS84", "EPSG:4326"}:
            continue
        for matrix in one.matrices[:12]:
            middle = matrix.columns // 2
            for column in {0, max(middle - 1, 0), middle, matrix.columns - 1}:
                for row in {matrix.rows // 2, matrix.rows // 3}:
                    read = chunks_of_tile(large, "around", one, matrix, row, column, query)
                    counts[one.id, matrix.id, row, column] = read
    assert {key: count for key, count in counts.items() if count > most} == {}
    assert max(counts.values()) >= 2
