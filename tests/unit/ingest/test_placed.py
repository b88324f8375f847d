"""Images that are turned or placed by ground control points, by value on a map grid."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC

from datacube.config.products import FieldRecipe, RecipeSettings, TargetSettings
from datacube.ingest.pipeline import ingest
from datacube.model.crs import Crs, transform
from tests.unit.ingest.products import opened, whole

UTM = "EPSG:32631"
TURNED = Affine.translation(500000, 5000000) @ Affine.rotation(-30) @ Affine.scale(10, -10)
HEIGHT, WIDTH = 120, 90
SCATTERED = ((3, 4), (100, 20), (50, 80), (110, 85), (10, 70))


def counted(height=HEIGHT, width=WIDTH):
    """Every pixel has a number of its own, from 1."""
    return np.arange(1, height * width + 1, dtype="u4").reshape(height, width)


def image(path, values=None, rpcs=None, **options):
    values = counted() if values is None else values
    height, width = values.shape
    kind = {"driver": "GTiff", "count": 1, "dtype": values.dtype, "nodata": 0}
    with rasterio.open(path, "w", height=height, width=width, **kind, **options) as file:
        file.write(values, 1)
        if rpcs is not None:
            file.rpcs = rpcs
    return str(path)


def points(places, transform=TURNED):
    return [GroundControlPoint(row, column, *(transform @ (column, row))) for row, column in places]


def lattice(rows, columns):
    return [(row, column) for row in rows for column in columns]


def located(grid):
    """Column and row, with fractions, of the turned image at the centre of each cell of a grid."""
    column, row = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    one = grid.transform
    x, y = one.a * column + one.c, one.e * row + one.f
    x, y = transform(x, y, grid.crs, Crs.parse(UTM))
    back = ~TURNED
    return back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f


def expected(grid, values):
    """The pixel in which the centre of each cell of a map grid lies; 0 where none does."""
    u, v = (np.floor(one).astype(int) for one in located(grid))
    inside = (u >= 0) & (u < values.shape[1]) & (v >= 0) & (v < values.shape[0])
    found = values[np.clip(v, 0, values.shape[0] - 1), np.clip(u, 0, values.shape[1] - 1)]
    return np.where(inside, found, 0)


@pytest.mark.parametrize(
    "placing",
    [
        {"transform": TURNED},
        {"gcps": points(lattice((0, 60, HEIGHT), (0, 45, WIDTH)))},
        {"gcps": points(lattice((20, 95.5), (11, 70)))},
        {"gcps": points(SCATTERED)},
    ],
    ids=["turned", "rows and columns", "rows and columns inside", "scattered"],
)
def test_every_cell_has_the_pixel_in_which_its_centre_lies(tmp_path, placing):
    path = image(tmp_path / "scene_20200219.tif", crs=UTM, **placing)
    report = ingest([path], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report.results[0].reason
    cube = opened(tmp_path / "store", "scene")
    grid = cube.description.domain.grid
    assert (grid.crs.key, grid.dx, grid.dy) == (UTM, 10.0, -10.0)
    values = whole(cube, "band1")
    np.testing.assert_array_equal(values, expected(grid, counted()))
    assert len(np.unique(values)) > 0.8 * HEIGHT * WIDTH
    (noted,) = (one.attributes["bbox"] for one, _ in cube.record.sources.values())
    assert noted.startswith("2.99")


@pytest.mark.parametrize("resolution", [0.0002, 0.002, 0.01])
def test_a_recipe_says_the_map_grid(tmp_path, resolution):
    """A large image over several tiles, and one of a few cells: nothing is lost at its rim."""
    values = counted(1300, 1100)
    path = image(tmp_path / "a.tif", values, crs=UTM, transform=TURNED)
    recipe = RecipeSettings(grid=TargetSettings((resolution, resolution), "EPSG:4326"))
    assert ingest([path], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    cube = opened(tmp_path / "store", "a")
    grid = cube.description.domain.grid
    inside = np.ones(grid.shape, bool)
    made = whole(cube, "band1")
    rows, columns = np.divmod(made.astype(int) - 1, values.shape[1])
    for place, found, size in zip(located(grid), (columns, rows), values.shape[::-1], strict=True):
        off = np.abs(place - found - 0.5)[made > 0]
        assert off.max() < 0.55  # half a pixel, and a hair beside its edge
        inside = inside & (place > 0.05) & (place < size - 0.05)
    assert (made[inside] > 0).all()
    assert inside.any()


def test_fields_have_the_resampling_of_the_recipe(tmp_path):
    path = image(tmp_path / "a.tif", np.full((HEIGHT, WIDTH), 7, "u2"), crs=UTM, transform=TURNED)
    recipe = RecipeSettings(
        grid=TargetSettings((40.0, 40.0)), fields=(FieldRecipe("band1", resampling="average"),)
    )
    assert ingest([path], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    values = whole(opened(tmp_path / "store", "a"), "band1")
    assert set(np.unique(values)) == {0, 7}


@pytest.mark.parametrize("west", [10.0, 179.5])
def test_control_points_in_longitude_and_latitude_keep_every_pixel(tmp_path, west):
    """Along the axes the cells are the pixels; between points lines are straight, not circles."""
    corners = [
        GroundControlPoint(row, column, (west + column * 0.01 + 180) % 360 - 180, 50 - row * 0.01)
        for row, column in lattice((0, HEIGHT), (0, WIDTH))
    ]
    path = image(tmp_path / "a.tif", crs="EPSG:4326", gcps=corners)
    assert ingest([path], store=str(tmp_path / "store")).exit_code == 0
    cube = opened(tmp_path / "store", "a")
    np.testing.assert_array_equal(whole(cube, "band1"), counted())
    assert cube.description.domain.grid.bbox.edges[0] == pytest.approx(west)


def test_a_rounding_is_no_turn(tmp_path):
    hair = Affine(10, 1e-12, 500000, 1e-13, -10, 5000000)
    path = image(tmp_path / "a.tif", crs=UTM, transform=hair)
    assert ingest([path], store=str(tmp_path / "store")).exit_code == 0
    np.testing.assert_array_equal(whole(opened(tmp_path / "store", "a"), "band1"), counted())


@pytest.mark.parametrize("transform", [TURNED, Affine(10, 0, 500000, 0, -10, 5000000)])
def test_a_recipe_says_the_crs_of_an_image_that_does_not(tmp_path, transform):
    path = image(tmp_path / "a.tif", transform=transform)
    (refused,) = ingest([path], store=str(tmp_path / "store")).results
    assert "a recipe can say it (crs: EPSG:32631)" in refused.reason
    recipe = RecipeSettings(crs=UTM)
    assert ingest([path], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    assert opened(tmp_path / "store", "a").description.domain.grid.crs.key == UTM


def terms(place):
    return [float(place == at) for at in range(20)]


@pytest.mark.parametrize(
    ("placing", "words"),
    [
        (
            {
                "rpcs": RPC(
                    **dict.fromkeys(("height_off", "err_bias", "err_rand"), 0.0),
                    **dict.fromkeys(("lat_off", "long_off", "line_off", "samp_off"), 50.0),
                    **dict.fromkeys(("height_scale", "lat_scale", "long_scale"), 1.0),
                    **dict.fromkeys(("line_scale", "samp_scale"), 60.0),
                    **dict.fromkeys(("line_den_coeff", "samp_den_coeff"), terms(0)),
                    line_num_coeff=terms(2),
                    samp_num_coeff=terms(1),
                )
            },
            "its position is given by rational polynomials (RPC) alone",
        ),
        ({"crs": UTM, "gcps": points(SCATTERED[:2])}, "2 ground control points are too few"),
        (
            {"crs": UTM, "gcps": points([(row, row) for row in (0, 10, 20, 50)])},
            "its 4 ground control points do not say where it lies",
        ),
        ({"crs": UTM}, "the image has no position"),
    ],
    ids=["rpc", "two points", "points on a line", "nothing"],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_images_that_cannot_be_placed(tmp_path, placing, words):
    path = image(tmp_path / "a.tif", **placing)
    (refused,) = ingest([path], store=str(tmp_path / "store")).results
    assert (refused.status, words in refused.reason) == ("refused", True), refused.reason
