"""Relief, lines and arrows by value: slopes, circles, angles."""

import contourpy
import numpy as np
import pyproj
import pytest

from datacube.errors import InvalidParameter
from datacube.model.bbox import BoundingBox
from datacube.model.block import IndexedImage, RgbaImage
from datacube.model.crs import CRS84, Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.render import arrows
from datacube.render.arrows import Glyphs, glyphs_of, paint_glyphs
from datacube.render.contours import conversion, levels_of, written
from datacube.render.hillshade import light
from datacube.render.ink import Disc, Line, Shape, Words, drawn
from datacube.render.isolines import Levels, isolines
from datacube.render.legend import Look, legend
from datacube.render.paint import margin_of, paint
from datacube.render.scene import Scene, axes_at, lattice, metres_of
from datacube.render.style import Arrows, ColorRamp, Contours, Hillshade, fields_of, for_field

HEIGHT = Field("z", "float64", uom="m")
U = Field("u", "float32", uom="m s-1", standard_name="eastward_wind")
V = Field("v", "float32", uom="m s-1", standard_name="northward_wind")
MAPS = {
    "EPSG:3857": (500_000, 8_200_000, 900_000, 8_600_000),  # about 60 N
    "EPSG:3413": (-600_000, -3_400_000, 200_000, -2_600_000),  # about 60 N
    "EPSG:4326": (5, 55, 15, 65),
    "EPSG:3031": (1_000_000, 1_000_000, 2_000_000, 2_000_000),
    "EPSG:32632": (300_000, 6_500_000, 700_000, 6_900_000),
}


def grid(key, box, width, height):
    left, bottom, right, top = box
    bbox = BoundingBox(left, bottom, right, top, Crs.parse(key))
    return RectifiedGrid.from_bbox(bbox, width, height)


def everywhere(shape):
    return np.ones(shape, bool)


@pytest.mark.parametrize("key", MAPS)
@pytest.mark.parametrize("bearing", [0, 45, 90, 200, 315])
def test_a_heading_is_that_of_the_path_on_the_map(key, bearing):
    target = grid(key, MAPS[key], 200, 200)
    columns, rows = np.array([20.5, 100, 180]), np.array([180, 100.25, 33])
    axes = axes_at(target, CRS84, columns, rows)
    u, v = np.sin(np.radians(bearing)), np.cos(np.radians(bearing))
    got = u * axes.first + v * axes.second
    # independently: a kilometre along the geodesic, and where that lies on the map
    to_lonlat = pyproj.Transformer.from_crs(key, "OGC:CRS84", always_xy=True)
    x = target.transform.c + columns * target.dx
    y = target.transform.f + rows * target.dy
    lon, lat = to_lonlat.transform(x, y)
    ahead = pyproj.Geod(ellps="WGS84").fwd(lon, lat, [bearing] * 3, [1000] * 3)
    x1, y1 = to_lonlat.transform(*ahead[:2], direction="INVERSE")
    want = np.stack([(x1 - x) / target.dx, (y1 - y) / target.dy], axis=-1) / 1000
    assert np.allclose(got, want, rtol=2e-3, atol=np.abs(want).max() * 2e-3)


def test_arrows_at_60_north_point_where_the_wind_blows():
    """In Mercator a south-west wind goes to the upper right; on the polar map by its meridian."""
    mercator = grid("EPSG:3857", MAPS["EPSG:3857"], 128, 128)
    u = np.full((128, 128), 7.0)
    style = Arrows("a", "", "u", "v")
    glyphs = glyphs_of(style, u, u, everywhere(u.shape), Scene(mercator))
    angles = np.degrees(np.arctan2(-glyphs.heading[:, 1], glyphs.heading[:, 0]))
    assert np.allclose(angles, 45, atol=0.2)
    assert np.allclose(glyphs.speed, np.hypot(7, 7))
    # a south wind on EPSG:3413 runs towards the pole at (0, 0)
    polar = grid("EPSG:3413", MAPS["EPSG:3413"], 128, 128)
    south = glyphs_of(style, np.zeros_like(u), u, everywhere(u.shape), Scene(polar))
    x = polar.transform.c + south.at[:, 0] * polar.dx
    y = polar.transform.f + south.at[:, 1] * polar.dy
    toward = np.stack([-x, y], axis=-1) / np.hypot(x, y)[:, np.newaxis]
    assert np.allclose(south.heading, toward, atol=1e-3)
    assert not south.southern.any()


def test_components_along_the_grid_follow_the_cubes_axes():
    polar = Crs.parse("EPSG:3413")
    target = grid("EPSG:3413", MAPS["EPSG:3413"], 96, 96)
    u, v = np.full((96, 96), 3.0), np.full((96, 96), 4.0)
    style = Arrows("a", "", "u", "v", along="grid")
    glyphs = glyphs_of(style, u, v, everywhere(u.shape), Scene(target, 0, polar))
    assert np.allclose(glyphs.heading, [0.6, -0.8], atol=1e-6)


def test_glyphs_stay_away_from_missing_values_and_the_pole_is_no_trap():
    target = grid("EPSG:3413", (-100_000, -100_000, 100_000, 100_000), 64, 64)
    u = np.ones((64, 64))
    valid = everywhere(u.shape)
    valid[:, :32] = False
    glyphs = glyphs_of(Arrows("a", "", "u", "v", spacing=8), u, u, valid, Scene(target))
    assert np.isfinite(glyphs.heading).all()
    assert len(glyphs.at) == 32
    assert glyphs.at[:, 0].min() >= 32


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 220, 300])
def test_the_drawn_arrow_lies_along_its_heading(degrees):
    turn = np.radians(degrees)
    heading = np.array([[np.cos(turn), -np.sin(turn)]])
    glyphs = Glyphs(np.array([[32.0, 32.0]]), heading, np.array([20.0]), np.array([False]))
    style = Arrows("a", "", "u", "v", size=40, color=(0, 0, 0, 255))
    speed = arrows.speed_field(U, V)
    ink = paint_glyphs(style, glyphs, speed, (64, 64))
    weight = ink[..., 3] * (ink[..., 0] < 60)
    rows, columns = np.nonzero(weight > 128)
    points = np.stack([columns + 0.5 - 32, rows + 0.5 - 32], axis=-1)
    along, across = points @ heading[0], points @ [heading[0, 1], -heading[0, 0]]
    assert abs(along.max() + along.min()) < 2  # centred
    assert along.max() - along.min() > 25
    head = across[along > along.max() - 12]
    assert np.ptp(head) > 1.5 * np.ptp(across[along < 0])  # the head is in front


def test_barbs_have_their_feathers_on_the_side_of_low_pressure():
    """West wind: the staff to the west; feathers north of it, south of it beyond the equator."""
    style = Arrows("b", "", "u", "v", "barbs", size=30, color=(0, 0, 0, 255))
    speed = Field("speed", "float32", uom="kn")
    for southern, side in ((False, -1), (True, 1)):
        glyphs = Glyphs(
            np.array([[45.0, 32.0]]), np.array([[1.0, 0.0]]), np.array([65.0]), np.array([southern])
        )
        ink = paint_glyphs(style, glyphs, speed, (64, 64))
        rows, columns = np.nonzero((ink[..., 3] > 128) & (ink[..., 0] < 60))
        assert columns.max() <= 46
        assert columns.min() <= 18
        feathers = rows[(rows < 30) | (rows > 34)]
        assert np.sign(feathers - 32).tolist() == [side] * len(feathers)


def amount(knots):
    style = Arrows("b", "", "u", "v", "barbs", size=40, color=(0, 0, 0, 255))
    glyphs = Glyphs(
        np.array([[60.0, 32.0]]), np.array([[1.0, 0.0]]), np.array([knots]), np.array([False])
    )
    ink = paint_glyphs(style, glyphs, Field("speed", "float32", uom="kn"), (64, 80))
    return int(((ink[..., 3] > 128) & (ink[..., 0] < 60)).sum())


def test_barbs_count_in_fives():
    assert amount(4.0) == amount(6.0) == amount(7.4)
    assert amount(7.6) == amount(12.4) > amount(7.4)
    assert amount(17.0) > amount(12.0)
    assert amount(52.0) > amount(12.0)
    assert amount(62.0) > amount(52.0)
    assert amount(1.0) < amount(5.0)  # a ring


def test_lattice_is_the_same_for_neighbours():
    whole = grid("EPSG:3857", (0, 0, 512_000, 512_000), 512, 512)
    columns, rows = lattice(Scene(whole), 30)
    places = {(round(x, 6), round(y, 6)) for x, y in zip(columns, rows, strict=True)}
    parts = set()
    for top in (0, 256):
        for left in (0, 256):
            part = whole.window(top, left, 256, 256)
            columns, rows = lattice(Scene(part), 30)
            parts |= {
                (round(x + left, 6), round(y + top, 6)) for x, y in zip(columns, rows, strict=True)
            }
    assert parts == places


@pytest.mark.parametrize("key", MAPS)
def test_ground_size_of_pixels(key):
    target = grid(key, MAPS[key], 60, 50)
    across, down = (np.broadcast_to(one, target.shape) for one in metres_of(target))
    to_lonlat = pyproj.Transformer.from_crs(key, "OGC:CRS84", always_xy=True)
    geod = pyproj.Geod(ellps="WGS84")
    for row, column in ((0, 0), (25, 30), (49, 59)):
        x, y = target.x_centres()[column], target.y_centres()[row]
        for size, dx, dy in ((across, target.dx, 0), (down, 0, target.dy)):
            one = to_lonlat.transform(x - dx / 2, y - dy / 2)
            other = to_lonlat.transform(x + dx / 2, y + dy / 2)
            assert size[row, column] == pytest.approx(geod.inv(*one, *other)[2], rel=2e-3)


def relief(azimuth, altitude, right, lower, exaggeration=1.0):
    """Light on a plane that rises so many metres for a metre to the right and down."""
    target = grid("EPSG:32632", (500_000, 5_000_000, 501_000, 5_001_000), 12, 12)
    rows, columns = np.indices((12, 12), dtype=float)
    across, down = metres_of(target)
    values = columns * right * across.mean() + rows * lower * down.mean()
    style = Hillshade("h", "", "z", azimuth, altitude, exaggeration)
    return light(style, values / exaggeration, everywhere(values.shape), Scene(target, 1))


@pytest.mark.parametrize("azimuth", [0, 90, 135, 315])
@pytest.mark.parametrize("altitude", [20, 45, 90])
@pytest.mark.parametrize(("right", "lower"), [(0, 0), (0.5, 0), (-0.3, 0.8), (0, -2)])
def test_light_on_a_plane(azimuth, altitude, right, lower):
    """The usual formula: cos(zenith) cos(slope) + sin(zenith) sin(slope) cos(azimuth - aspect)."""
    shade = relief(azimuth, altitude, right, lower)
    assert shade.shape == (10, 10)
    zenith, slope = np.radians(90 - altitude), np.arctan(np.hypot(right, lower))
    aspect = np.arctan2(-right, lower)  # where the slope faces: downhill, clockwise from the top
    want = np.cos(zenith) * np.cos(slope)
    want += np.sin(zenith) * np.sin(slope) * np.cos(np.radians(azimuth) - aspect)
    assert np.allclose(shade, max(want, 0), atol=2e-4)


def test_light_of_missing_neighbours_goes_on_with_the_slope():
    target = grid("EPSG:32632", (500_000, 5_000_000, 501_000, 5_001_000), 12, 12)
    _, columns = np.indices((12, 12), dtype=float)
    values = columns * 40
    valid = everywhere(values.shape)
    valid[4:6, 7] = False
    values[~valid] = 1e30
    style = Hillshade("h", "", "z")
    whole = light(style, columns * 40, everywhere(values.shape), Scene(target, 1))
    holed = light(style, values, valid, Scene(target, 1))
    good = valid[1:-1, 1:-1]
    assert np.allclose(holed[good], whole[good], atol=1e-6)


def test_relief_alone_is_gray_and_over_a_ramp_keeps_level_colours():
    target = grid("EPSG:32632", (500_000, 5_000_000, 501_000, 5_001_000), 12, 12)
    values = np.full((12, 12), 100.0)
    valid = everywhere(values.shape)
    valid[5, 5] = False
    style = Hillshade("h", "", "z")
    args = {"z": HEIGHT}, {"z": values}, {"z": valid}, Scene(target, 1)
    gray = paint(style, *args)
    assert isinstance(gray, IndexedImage)
    assert gray.index[4, 4] == 0
    assert set(gray.palette[gray.index[valid[1:-1, 1:-1]]][:, 0]) <= {179, 180, 181}
    ramp = ColorRamp("r", "", "", "viridis", 0, 200)
    over = paint(Hillshade("h", "", "z", ramp=ramp), *args)
    assert isinstance(over, RgbaImage)
    plain = paint(ColorRamp("r", "", "z", "viridis", 0, 200), {"z": HEIGHT}, args[1], args[2])
    assert np.abs(over.pixels[0, 0].astype(int) - plain.rgba().pixels[0, 0]).max() <= 1
    assert over.pixels[4, 4, 3] == 0


def test_lines_of_a_cone_are_circles():
    rows, columns = np.indices((81, 81), dtype=float)
    values = np.hypot(rows - 40, columns - 40)
    lines = isolines(values, everywhere(values.shape), Levels(7.5))
    assert sorted(line.number for line in lines if line.closed) == [1, 2, 3, 4, 5]
    for line in lines:
        radius = np.hypot(line.points[:, 0] - 40, line.points[:, 1] - 40)
        assert np.abs(radius - 7.5 * line.number).max() < 0.08
    assert all(line.closed == (line.number < 6) for line in lines)


def length_of(lines):
    return sum(np.linalg.norm(np.diff(points, axis=0), axis=1).sum() for points in lines)


@pytest.mark.parametrize("levels", [Levels(0.7), Levels(1, (-1.5, -0.2, 0.0, 0.25, 2.0))])
@pytest.mark.parametrize("holes", [False, True])
def test_lines_are_as_long_as_contourpys(levels, holes):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(60, 70))
    valid = rng.random(values.shape) > (0.1 if holes else -1)
    found = isolines(values, valid, levels)
    masked = np.ma.array(values, mask=~valid)
    peer = contourpy.contour_generator(z=masked, name="serial", corner_mask=False)
    for number in {line.number for line in found}:
        mine = [
            np.concatenate([line.points, line.points[:1]]) if line.closed else line.points
            for line in found
            if line.number == number
        ]
        value = float(levels.value(np.array([number]))[0])
        # saddles may be joined the other way: the same length but for those few
        assert length_of(mine) == pytest.approx(length_of(peer.lines(value)), rel=0.02)


def test_no_more_lines_than_can_be_drawn():
    values = np.random.default_rng(1).random((300, 300)) * 1e6
    numbers = {line.number for line in isolines(values, everywhere(values.shape), Levels(1.0))}
    assert numbers
    assert all(number % 10 == 0 for number in numbers)


def test_contours_count_in_their_own_unit():
    kelvin = Field("t", "float32", uom="K", valid_range=(243.15, 303.15))
    celsius = Contours("c", "", "t", interval=5, unit="degC")
    assert conversion(celsius, kelvin) == (1.0, -273.15)
    assert conversion(Contours("c", "", "t", unit="hPa"), kelvin) == (1.0, 0.0)
    assert levels_of(celsius, kelvin).interval == 5
    assert levels_of(Contours("c", "", "t"), kelvin).interval == 5.0
    assert written(1e7) == "1e+07"


def test_contours_lie_where_the_value_is_and_are_labelled():
    target = grid("EPSG:3857", (0, 0, 400_000, 400_000), 400, 400)
    style = Contours("c", "", "z", interval=50, color=(0, 0, 0, 255), major=2)
    margin = margin_of(style)
    wide = target.window(-margin, -margin, 400 + 2 * margin, 400 + 2 * margin)
    _, columns = np.indices(wide.shape, dtype=float)
    values = columns - margin
    picture = paint(
        style, {"z": HEIGHT}, {"z": values}, {"z": everywhere(values.shape)}, Scene(wide, margin)
    )
    assert isinstance(picture, RgbaImage)
    alpha = picture.pixels[..., 3]
    for value in range(50, 400, 50):
        assert np.median(alpha[:, value]) > 240
        assert np.median(alpha[:, value + 15]) == 0
    # every second line is thicker
    assert np.median(alpha[:, 101:400:100]) > 60 > np.median(alpha[:, 51:400:100])
    # labels: gaps in the lines, and ink beside them
    assert (alpha[:, 100] == 0).any() or (picture.pixels[:, 100, 0] > 200).any()
    assert (alpha[:, 104:108] > 0).any()


def test_marks_are_drawn_where_they_are_said_to_be():
    black = (0, 0, 0, 255)
    square = drawn([Shape(np.array([[2, 2], [6, 2], [6, 6], [2, 6.0]]))], (8, 8), [black])
    assert square[..., 3].sum() / 255 == pytest.approx(16, rel=0.15)
    assert square[3, 3, 3] == 255
    assert square[0].max() == 0
    disc = drawn([Disc(np.array([[16.0, 16.0]]), 8.0)], (32, 32), [black])
    assert disc[..., 3].sum() / 255 == pytest.approx(np.pi * 64, rel=0.05)
    ring = drawn([Disc(np.array([[16.0, 16.0]]), 8.0, 1, 1.0)], (32, 32), [black])
    assert ring[16, 16, 3] == 0
    line = drawn([Line(np.array([[0, 4], [32, 4.0]]), 2.0)], (8, 32), [black])
    assert line[..., 3].sum() / 255 == pytest.approx(64, rel=0.1)
    words = drawn([Words(np.array([[16.0, 16.0]]), "8", 12, 0.0)], (32, 32), [black])
    rows, columns = np.nonzero(words[..., 3])
    assert abs(rows.mean() + 0.5 - 16) < 1
    assert abs(columns.mean() + 0.5 - 16) < 1


def test_many_inks_and_few_agree_and_strips_do_not_show():
    marks = [Disc(np.array([[x, x]]), 9.0, ink) for x, ink in ((10.0, 1), (25.0, 2), (30.0, 3))]
    inks = [(255, 0, 0, 255), (0, 255, 0, 100), (0, 0, 255, 200)]
    few = drawn(marks, (40, 40), inks)
    many = drawn(marks, (40, 40), [*inks, (1, 1, 1, 1)])
    assert np.abs(few.astype(int) - many)[few[..., 3] > 20].max() <= 3
    tall = drawn(marks, (3000, 600), inks)
    assert np.array_equal(tall[:40, :40], few)


def test_a_drawing_style_needs_a_scene_and_sound_numbers():
    with pytest.raises(ValueError, match="needs a scene"):
        paint(
            Hillshade("h", "", "z"),
            {"z": HEIGHT},
            {"z": np.ones((3, 3))},
            {"z": everywhere((3, 3))},
        )
    for wrong in (
        lambda: Hillshade("h", "", "z", altitude=0),
        lambda: Hillshade("h", "", "z", exaggeration=0),
        lambda: Contours("c", "", "z", interval=-1),
        lambda: Contours("c", "", "z", levels=(2, 1)),
        lambda: Contours("c", "", "z", width=0),
        lambda: Arrows("a", "", "u", "v", spacing=1),
    ):
        with pytest.raises(InvalidParameter):
            wrong()
    assert for_field(Contours("c", "", ""), "z") == Contours("c", "", "z")
    assert fields_of(Arrows("a", "", "u", "v")) == ("u", "v")


@pytest.mark.parametrize("size", [None, (60, 60), (150, 400)])
def test_legends_of_what_is_drawn(size):
    ramp = ColorRamp("r", "", "", "viridis", 0, 30)
    look = Look(*(size or (None, None)))
    for style in (
        Hillshade("h", "", "z"),
        Hillshade("h", "", "z", ramp=ramp),
        Contours("c", "", "z", interval=10),
        Contours("c", "", "z", levels=(1, 2, 3), ramp=ramp),
        Arrows("a", "", "u", "v"),
        Arrows("a", "", "u", "v", ramp=ramp),
        Arrows("b", "", "u", "v", "barbs", ramp=ramp, coloring="glyphs"),
    ):
        pixels = legend(style, {"z": HEIGHT, "u": U, "v": V}, look).pixels
        assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 2
        if size and style.ramp is None:
            assert pixels.shape[:2] == (size[1], size[0])
