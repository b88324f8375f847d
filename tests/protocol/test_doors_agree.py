"""Every door answers alike: the same cell, the same value.

:data:`tests.protocol.worlds.WORLDS` by :data:`VALUE_DOORS` asks every service for the value at a
cell's place, by :data:`PICTURE_DOORS` it looks at the colour painted there; matplotlib itself says
which colour that should be.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from rasterio.io import MemoryFile

from datacube.config.settings import Config
from services.app.asgi import create_app
from tests.asgi import Client
from tests.protocol.doors import Doors, middle, value_of
from tests.protocol.worlds import TIMES, WORLDS, Cell, World

VALUE_DOORS = (
    Doors.wcs_geotiff,
    Doors.wcs_whole_geotiff,
    Doors.wcs_netcdf,
    Doors.wms_info_latlon,
    Doors.wms_info_lonlat,
    Doors.wms_info_native,
    Doors.wmts_info_degrees,
    Doors.wmts_info_mercator,
    Doors.coveragejson_subset,
    Doors.coveragejson_bbox,
    Doors.zarr,
)
PICTURE_DOORS = (
    Doors.wms_map_latlon,
    Doors.wms_map_lonlat,
    Doors.wms_map_native,
    Doors.wmts_tile_degrees,
    Doors.wmts_tile_mercator,
    Doors.wmts_tile_rest,
    Doors.ogcapi_map,
)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    store = tmp_path_factory.mktemp("doors")
    for world in WORLDS:
        world.make(store)
    config = Config(cubes={world.id: world.styles() for world in WORLDS})
    app = create_app(config, str(store))
    yield Doors(Client(app), store)
    app.close()


@pytest.mark.parametrize("door", VALUE_DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.id)
def test_the_samevalue_of(doors, world, door):
    for cell in world.cells():
        assert door(doors, cell) == pytest.approx(cell.value, abs=1e-9), cell


@pytest.mark.parametrize("door", PICTURE_DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.id)
def test_the_colour_of_thevalue_of(doors, world, door):
    for cell in world.cells():
        assert door(doors, cell) == cell.color, cell


# Boxes and pixels that do not fall on cells. The globe's columns are 36 degrees wide, its rows 18
# degrees high; columns 9 and 0 meet at the antimeridian.

COLUMNS = (8, 9, 0, 1)


def _row_of_cells(t: int, row: int, columns: tuple[int, ...]) -> list[int]:
    return [1000 * t + 10 * row + column for column in columns]


def _colours(response: httpx.Response, row: int) -> list[tuple[int, ...]]:
    with Image.open(BytesIO(response.content)) as image:
        return [tuple(color) for color in np.asarray(image.convert("RGBA"))[row].tolist()]


def _expected(
    row: int, columns: tuple[int, ...], world: World = WORLDS[0]
) -> list[tuple[int, ...]]:
    return [Cell(world, 1, 0, row, column).color for column in columns]


@pytest.mark.parametrize("world", [WORLDS[0], WORLDS[2]], ids=lambda world: world.id)
@pytest.mark.parametrize(
    ("crs", "box"),
    [("CRS:84", "108,0,252,90"), ("CRS:84", "-252,0,-108,90"), ("EPSG:4326", "0,108,90,252")],
)
def test_a_map_over_the_antimeridian(doors, world, crs, box):
    query: dict[str, Any] = {
        "LAYERS": f"{world.id}.v",
        "STYLES": "t1k0",
        "TIME": TIMES[1],
        "CRS": crs,
    }
    query |= {"BBOX": box, "WIDTH": 4, "HEIGHT": 5, "FORMAT": "image/png", "VERSION": "1.3.0"}
    columns = COLUMNS if world.x0 < 0 else (3, 4, 5, 6)
    found = doors.get("/wms", SERVICE="WMS", REQUEST="GetMap", **query)
    for row in range(5):
        assert _colours(found, row) == _expected(row, columns, world)


@pytest.mark.parametrize("i", range(4))
def test_a_value_over_the_antimeridian(doors, i):
    query: dict[str, Any] = {"LAYERS": "globe.v", "STYLES": "", "TIME": TIMES[1], "CRS": "CRS:84"}
    query |= {"BBOX": "108,0,252,90", "WIDTH": 4, "HEIGHT": 5, "FORMAT": "image/png"}
    query |= {"QUERY_LAYERS": "globe.v", "INFO_FORMAT": "application/json", "I": i, "J": 2}
    found = doors.get("/wms", SERVICE="WMS", VERSION="1.3.0", REQUEST="GetFeatureInfo", **query)
    assert value_of(found) == _row_of_cells(1, 2, COLUMNS)[i]


@pytest.mark.parametrize("world", ["seam", "seam_west"])
def test_a_coverage_over_the_antimeridian(doors, world):
    # columns 4 to 6 lie at 177, 183 and 189 degrees east, row 2 at 15 degrees north
    query: dict[str, Any] = {"bbox": "175,13,-169,17", "datetime": TIMES[1], "f": "json"}
    found = doors.get(f"/ogcapi/collections/{world}/coverage", **query).json()
    assert found["ranges"]["v"]["values"] == _row_of_cells(1, 2, (4, 5, 6))


@pytest.mark.parametrize(("shift", "moved"), [(0.49, 0), (0.51, 1), (-0.49, 0), (-0.51, -1)])
def test_half_a_pixel_decides_in_a_map(doors, shift, moved):
    left = -72 + 36 * shift
    query: dict[str, Any] = {
        "LAYERS": "globe.v",
        "STYLES": "t1k0",
        "TIME": TIMES[1],
        "CRS": "CRS:84",
    }
    query |= {"BBOX": f"{left},{-18 + 18 * shift},{left + 144},{36 + 18 * shift}"}
    query |= {"WIDTH": 4, "HEIGHT": 3, "FORMAT": "image/png", "VERSION": "1.3.0"}
    found = doors.get("/wms", SERVICE="WMS", REQUEST="GetMap", **query)
    for row in range(3):
        expected = _expected(3 + row - moved, tuple(column + moved for column in range(3, 7)))
        assert _colours(found, row) == expected


@pytest.mark.parametrize(("shift", "moved"), [(-0.49, 0), (0.49, 0), (0.51, 1), (-0.51, -1)])
def test_half_a_cell_decides_for_a_slice(doors, shift, moved):
    x = 18 + 36 * shift  # column 5 is centred there
    cell = Cell(WORLDS[0], 1, 0, 3, 5 + moved)
    assert doors.coverage(cell, subset=(f"Lat({cell.y})", f"Long({x})")) == cell.value
    box = (x - 1, cell.y - 1, x + 1, cell.y + 1)
    found = doors.wms("GetFeatureInfo", cell, "CRS:84", box, **middle(cell))
    assert value_of(found) == cell.value


@pytest.mark.parametrize(
    ("low", "high", "columns"),
    [
        (0, 36, (5,)),
        (1e-9, 36 - 1e-9, (5,)),
        (-1e-9, 36 + 1e-9, (5,)),  # the noise of numbers takes no neighbour
        (-0.1, 36.1, (4, 5, 6)),
        (10, 11, (5,)),  # less than a cell, off its centre
        (35, 37, (5, 6)),
        ("*", -144, (0,)),
        (144, "*", (9,)),
    ],
)
def test_a_trim_takes_every_cell_that_it_overlaps(doors, low, high, columns):
    cell = Cell(WORLDS[0], 1, 0, 3, 5)
    subsets = (f"Long({low},{high})", f"Lat({cell.y - 1},{cell.y + 1})")
    with MemoryFile(doors.wcs(cell, "image/tiff", *subsets)) as memory, memory.open() as file:
        assert file.read(1).tolist() == [_row_of_cells(1, 3, columns)]
        assert file.bounds.left == pytest.approx(-180 + 36 * columns[0])
