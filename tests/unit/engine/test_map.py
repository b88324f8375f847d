"""Maps by value: every pixel computed from exact PROJ positions, on every kind of grid."""

from dataclasses import replace

import numpy as np
import pytest

from datacube.config.settings import Config, Limits, ServerSettings, TimePolicy
from datacube.engine.context import make_context
from datacube.engine.map import plan_map, render_map
from datacube.errors import CoverageNotFound, InvalidTime, RequestTooLarge, StyleNotFound
from datacube.model.axis import IrregularAxis
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery, Slice, TimeChoice
from datacube.model.tilesets import web_mercator_quad, world_crs84_quad
from datacube.model.time import TimeRange, Timestamp
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore
from tests.unit.engine.conftest import shade

GLOBE = {"width": 360, "height": 180}
PACIFIC = {"width": 360, "height": 180, "transform": (0.5, 1.0, -89.5, 1.0)}
ALL_TIMES = TimeChoice(TimeRange(Timestamp.parse("2020-01-01"), Timestamp.parse("2020-01-03")))
REGION = {"width": 130, "height": 60, "transform": (200.5, 1.0, 59.5, -1.0)}
UTM = {"width": 200, "height": 150, "crs": "EPSG:32632", "bbox": (6e5, 5.3e6, 6.2e5, 5.315e6)}
NORTH = {"width": 100, "height": 100, "crs": "EPSG:3413", "bbox": (-3e6, -3e6, 3e6, 3e6)}


def gray_pixels(result):
    """Value that each pixel shows, -1 where it is transparent."""
    pixels = result.image.rgba().pixels.astype(int)
    return np.where(pixels[..., 3] == 0, -1, (pixels[..., 0] + 2) // 4 * 4)


def expected_pixels(description, target, t=0, k=0):
    """What each pixel must be, from exact positions of its centre."""
    grid = description.domain.rectified
    x, y = transform(*np.meshgrid(target.x_centres(), target.y_centres()), target.crs, grid.crs)
    if grid.crs.geographic:
        x = (x - grid.bbox.left) % 360 + grid.bbox.left
    column = np.floor((x - grid.transform.c) / grid.dx)
    row = np.floor((y - grid.transform.f) / grid.dy)
    inside = (column >= 0) & (column < grid.width) & (row >= 0) & (row < grid.height)
    row, column = (np.where(inside, one, 0).astype(int) for one in (row, column))
    return np.where(inside, shade(t, k, 0, row, column), -1)


def draw(context, target, **request):
    query = MapQuery((LayerRequest("gray", **request),), target, transparent=True)
    return render_map(context, query)


@pytest.mark.parametrize(
    ("cube", "crs", "box", "size"),
    [
        (GLOBE, "CRS:84", (-180, -90, 180, 90), (360, 180)),
        (GLOBE, "EPSG:4326", (-20, 30, 30, 60), (500, 300)),
        (GLOBE, "CRS:84", (170, -20, 200, 10), (300, 300)),
        (GLOBE, "CRS:84", (-200, -20, -170, 10), (300, 300)),
        (GLOBE, "EPSG:3857", (-1e6, 4e6, 2e6, 7e6), (600, 600)),
        (PACIFIC, "CRS:84", (-20, -10, 20, 10), (400, 200)),
        (PACIFIC, "EPSG:3857", (-1e6, -2e6, 1e6, 2e6), (300, 600)),
        (REGION, "CRS:84", (-170, 0, -20, 70), (600, 280)),
        (REGION, "CRS:84", (190, 0, 340, 70), (600, 280)),
        (UTM, "EPSG:32632", (6e5, 5.3e6, 6.2e5, 5.315e6), (200, 150)),
        (NORTH, "EPSG:3413", (-4e6, -4e6, 4e6, 4e6), (400, 400)),
    ],
)
def test_every_pixel_shows_the_cell_it_lies_in(gray_context, cube, crs, box, size):
    context, _ = gray_context(**cube)
    description = context.catalog.cube("gray").description
    target = RectifiedGrid.from_bbox(BoundingBox(*box, Crs.parse(crs)), *size)
    assert (gray_pixels(draw(context, target)) == expected_pixels(description, target)).all()


@pytest.mark.parametrize(
    ("cube", "crs", "box"),
    [
        (UTM, "EPSG:3857", (1.15e6, 6.06e6, 1.18e6, 6.09e6)),
        (UTM, "EPSG:3035", (4.42e6, 2.76e6, 4.44e6, 2.78e6)),
        (NORTH, "CRS:84", (-60, 62, 30, 85)),
        (GLOBE, "EPSG:3413", (-3e6, -3e6, 3e6, 3e6)),
    ],
)
def test_reprojected_pixels_are_those_of_proj_but_near_an_edge(gray_context, cube, crs, box):
    context, _ = gray_context(**cube)
    description = context.catalog.cube("gray").description
    target = RectifiedGrid.from_bbox(BoundingBox(*box, Crs.parse(crs)), 400, 300)
    drawn, expected = gray_pixels(draw(context, target)), expected_pixels(description, target)
    assert (drawn == expected).mean() > 0.97


def test_a_map_bigger_than_the_world_repeats_no_cell_wrongly(gray_context):
    context, _ = gray_context(**GLOBE)
    description = context.catalog.cube("gray").description
    target = RectifiedGrid.from_bbox(BoundingBox(-200, -100, 200, 100, CRS84), 400, 200)
    expected = expected_pixels(description, target)
    assert (gray_pixels(draw(context, target)) == expected).all()
    assert (expected[:10] == -1).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 40), (40, 1)])
@pytest.mark.parametrize("crs", ["CRS:84", "EPSG:3857"])
def test_a_picture_one_pixel_wide_shows_the_cells_too(gray_context, crs, width, height):
    context, _ = gray_context(**GLOBE, levels=3)
    box = BoundingBox(10.2, 20.2, 10.2 + 0.7 * width, 20.2 + 0.7 * height, CRS84)
    target = RectifiedGrid.from_bbox(box.to_crs(Crs.parse(crs)), width, height)
    description = context.catalog.cube("gray").description
    assert (gray_pixels(draw(context, target)) == expected_pixels(description, target)).all()


def test_sixteen_tiles_are_the_map_of_their_box(gray_context):
    context, _ = gray_context(width=1440, height=720, chunks={"x": 256, "y": 256})
    for quad in (web_mercator_quad(), world_crs84_quad()):
        corner = quad.grid_of_tile("4", 4, 4)
        side = 4 * 256
        whole = RectifiedGrid(quad.crs, corner.transform, side, side)
        big = gray_pixels(draw(context, whole))
        for row in range(4):
            for column in range(4):
                tile = gray_pixels(draw(context, quad.grid_of_tile("4", 4 + row, 4 + column)))
                top, left = row * 256, column * 256
                assert (tile == big[top : top + 256, left : left + 256]).all()


def test_no_data_is_transparent_and_zero_is_not(gray_context):
    def checkered(t, k, f, y, x):
        return np.where((x + y) % 2 == 0, 255, 0)

    context, _ = gray_context(formula=checkered, width=4, height=2)
    target = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 4, 2)
    alpha = draw(context, target).image.rgba().pixels[..., 3]
    assert alpha.tolist() == [[0, 255, 0, 255], [255, 0, 255, 0]]
    opaque = render_map(context, MapQuery((LayerRequest("gray"),), target, (1, 2, 3))).image
    pixels = opaque.rgba().pixels
    assert pixels[0, 0].tolist() == [1, 2, 3, 255]
    assert (pixels[..., 3] == 255).all()


DAYS = ("2020-01-01", "2020-01-02", "2020-01-03", "2020-01-05")
SMALL = {"width": 36, "height": 18, "times": DAYS}
TARGET = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)


@pytest.mark.parametrize(
    ("when", "index", "note"),
    [
        (None, 3, "Default value used: time=2020-01-05T00:00:00Z ISO8601"),
        ("latest", 3, None),
        (Timestamp.parse("2020-01-02"), 1, None),
        (Timestamp.parse("2020-01-02T00:00:00.000Z"), 1, None),
        (Timestamp.parse("2020-01-02T05:00Z"), 1, "Nearest value used: time=2020-01-02T00:00:00Z"),
        (Timestamp.parse("2020-01"), 3, None),
        (TimeRange(None, Timestamp.parse("2020-01-02")), 1, None),
        (TimeRange(Timestamp.parse("2020-01-02"), Timestamp.parse("2020-01-03")), 2, None),
        (Timestamp.parse("2021-01-01"), None, "No data at time=2021-01-01T00:00:00Z"),
        (TimeRange(Timestamp.parse("2020-01-04"), Timestamp.parse("2020-01-04")), None, "No data"),
    ],
)
def test_time_means_what_the_client_says(gray_context, when, index, note):
    context, _ = gray_context(**SMALL)
    description = context.catalog.cube("gray").description
    result = draw(context, TARGET, time=None if when is None else TimeChoice(when))
    expected = -1 if index is None else expected_pixels(description, TARGET, t=index)
    assert (gray_pixels(result) == expected).all()
    assert any(note in one for one in result.notes) if note else not result.notes


def test_a_range_shows_the_most_recent_valid_pixel(gray_context):
    def cloudy(t, k, f, y, x):
        """The last day sees only the left half."""
        return np.where((t == 3) & (x >= 18), 255, 10 * t + 2 * (t == 3) + 0 * y + 0 * x)

    context, _ = gray_context(**SMALL, formula=cloudy)
    span = TimeRange(Timestamp.parse("2020-01-01"), Timestamp.parse("2020-01-05"))
    shown = gray_pixels(draw(context, TARGET, time=TimeChoice(span)))
    assert set(shown[:, :18].flat) == {32}
    assert set(shown[:, 18:].flat) == {20}


def test_elevation_is_chosen_by_either_sign_and_nearest(gray_context):
    depth = IrregularAxis("depth", np.array([0.5, 10.0, 20.0]), "m", "depth")
    context, _ = gray_context(width=36, height=18, axes=(depth,))
    description = context.catalog.cube("gray").description
    for place, k in ((0.5, 0), (-10.0, 1), (18.0, 2)):
        result = draw(context, TARGET, places=(Slice("elevation", place),))
        assert (gray_pixels(result) == expected_pixels(description, TARGET, k=k)).all()
    with pytest.raises(InvalidTime, match="number in m"):
        draw(context, TARGET, places=(Slice("elevation", "deep"),))


def test_what_is_not_there_is_said_with_what_is(gray_context):
    context, _ = gray_context(width=36, height=18)
    with pytest.raises(CoverageNotFound, match="there are gray, "):
        render_map(context, MapQuery((LayerRequest("grey"),), TARGET))
    with pytest.raises(StyleNotFound, match="gray-values"):
        render_map(context, MapQuery((LayerRequest("gray", "rainbow"),), TARGET))
    huge = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 5000, 10)
    with pytest.raises(RequestTooLarge, match="4096 x 4096"):
        render_map(context, MapQuery((LayerRequest("gray"),), huge))


def test_a_map_that_would_compute_too_much_is_refused_before_it_is_read(tmp_path):
    store = CountingStore(open_store(str(tmp_path)))
    make_cube(store, times=("2020-01-01", "2020-01-02", "2020-01-03"))
    context = make_context(
        store, Config(ServerSettings(limits=Limits(max_cells=60, max_reduced_cells=480)))
    )
    target = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 5, 4)
    steps = LayerRequest("closed.v", time=ALL_TIMES, aggregate="median")
    assert render_map(context, MapQuery((steps,), target)).image.rgba().pixels.shape == (4, 5, 4)
    assert render_map(context, MapQuery((replace(steps, aggregate=""),) * 3, target))
    read = store.chunks_read
    longer = replace(steps, expression="v + 1")
    for layers in ((steps, steps), (longer,), (replace(longer, aggregate=""),)):
        with pytest.raises(RequestTooLarge, match=r"20 cells x \d+ .* the limit is (60|480)\."):
            render_map(context, MapQuery(layers, target))
    assert store.chunks_read == read


@pytest.mark.parametrize("zoom", range(7))
def test_a_tile_of_a_large_cube_reads_at_most_four_chunks(large_context, zoom):
    context, store = large_context
    quad = web_mercator_quad()
    rng = np.random.default_rng(zoom)
    for row, column in rng.integers(0, 2**zoom, (12, 2)):
        store.reset()
        context.cache.clear()
        target = quad.grid_of_tile(str(zoom), int(row), int(column))
        render_map(context, MapQuery((LayerRequest("gray"),), target))
        on_seam = column in {0, 2**zoom - 1} or zoom == 0
        assert 1 <= store.chunks_read <= (6 if on_seam else 4)


@pytest.mark.parametrize(
    ("expression", "side", "brief"),
    [
        ("", 256, True),
        ("", 512, True),
        ("", 1024, True),
        ("", 1025, False),
        ("(v - 1) / (v + 1)", 513, False),
        ("(v - 1) / (v + 1)", 256, True),
        ("+".join(["v"] * 40), 256, False),
    ],
)
def test_a_map_of_few_fields_and_little_arithmetic_takes_a_moment(
    gray_context, expression, side, brief
):
    context, _ = gray_context(**GLOBE)
    target = RectifiedGrid.from_bbox(BoundingBox(0, 0, 40, 40, CRS84), side, side)
    request = LayerRequest("gray", expression=expression)
    assert plan_map(context, MapQuery((request,), target)).brief == brief


def test_exact_mode_refuses_a_time_between_steps(gray_context):
    context, _ = gray_context(**SMALL, time=TimePolicy(nearest=False))
    description = context.catalog.cube("gray").description
    exact = draw(context, TARGET, time=TimeChoice(Timestamp.parse("2020-01-02")))
    assert (gray_pixels(exact) == expected_pixels(description, TARGET, t=1)).all()
    with pytest.raises(InvalidTime, match="no time 2020-01-02T05:00:00Z"):
        draw(context, TARGET, time=TimeChoice(Timestamp.parse("2020-01-02T05:00Z")))
