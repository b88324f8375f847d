"""CRS spellings and axis order, boxes over the antimeridian, grids and tile matrices by value."""

import morecantile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import AxisNotFound, InvalidCrs, InvalidSubset, TileOutOfRange
from datacube.model.axis import IrregularAxis, TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.tilesets import web_mercator_quad, well_known_sets, world_crs84_quad

LATLON = Crs.parse("EPSG:4326")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("EPSG:3857", "EPSG:3857"), ("epsg:3857", "EPSG:3857"), ("EPSG:900913", "EPSG:3857"),
        ("urn:ogc:def:crs:EPSG::4326", "EPSG:4326"), ("urn:ogc:def:crs:EPSG:6.18:3:3857", None),
        ("http://www.opengis.net/def/crs/EPSG/0/32632", "EPSG:32632"),
        ("https://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84"),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "EPSG:4326"),
        ("CRS:84", "OGC:CRS84"), ("OGC:CRS84", "OGC:CRS84"), ("[EPSG:4326]", "EPSG:4326"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"), ("urn:ogc:def:crs:OGC:2:84", "OGC:CRS84"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_crs(text, key):
    assert Crs.parse(text).key == (key or "EPSG:3857")


@pytest.mark.parametrize(
    "text", ["EPSG:0", "EPSG:999999", "+proj=longlat", "/etc/passwd", "", "EPSG:4326; DROP"]
)
def test_what_is_no_crs_is_refused(text):
    with pytest.raises(InvalidCrs):
        Crs.parse(text)


@pytest.mark.parametrize(
    ("code", "labels"),
    [("EPSG:4326", ("Lat", "Long")), ("CRS:84", ("Long", "Lat")), ("EPSG:3857", ("X", "Y")),
     ("EPSG:32632", ("E", "N")), ("EPSG:3035", ("Y", "X")), ("EPSG:31467", ("X", "Y")),
     ("EPSG:2193", ("N", "E")), ("EPSG:3413", ("X", "Y"))],
)  # fmt: skip
def test_axis_order_is_the_authoritys(code, labels):
    assert Crs.parse(code).axis_labels == labels


def test_every_urn_and_uri_leads_back():
    for code in ("EPSG:4326", "CRS:84", "EPSG:3857"):
        crs = Crs.parse(code)
        assert Crs.parse(crs.uri) == Crs.parse(crs.urn) == Crs.parse(crs.short) == crs


def test_boxes_over_the_antimeridian():
    box = BoundingBox(170, -10, -170, 10, CRS84)
    assert [part.edges for part in box.split()] == [(170, -10, 180, 10), (-180, -10, -170, 10)]
    assert box.to_crs(LATLON).edges == box.edges
    assert box.unwrapped().geographic().edges == box.edges
    assert BoundingBox(200, -10, 330, 10, CRS84).geographic().edges == (-160, -10, -30, 10)
    assert BoundingBox(0, -90, 360, 90, CRS84).geographic().edges == (-180, -90, 180, 90)


def test_boxes_that_cannot_be_are_refused():
    for edges in ((0, 1, 1, 0), (0, 0, float("nan"), 1), (0, 0, float("inf"), 1)):
        with pytest.raises(InvalidSubset):
            BoundingBox(*edges, CRS84)
    with pytest.raises(InvalidSubset, match="right of"):
        BoundingBox(2, 0, 1, 1, Crs.parse("EPSG:3857"))


def test_positions_without_an_image_are_nan():
    _, y = transform(np.array([0.0, 0.0]), np.array([90.0, 0.0]), CRS84, Crs.parse("EPSG:3857"))
    assert y[1] == pytest.approx(0, abs=1e-6)
    assert np.isnan(y[0]) or y[0] > 1e8


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 6))
def test_coarsened_grids_keep_their_corner_and_cover(width, height, power):
    grid = RectifiedGrid.from_centres(CRS84, 5.0, 0.1, width, 50.0, -0.1, height)
    coarse = grid.coarsened(2**power)
    assert (coarse.transform.c, coarse.transform.f) == (grid.transform.c, grid.transform.f)
    assert coarse.width * 2**power >= width > (coarse.width - 1) * 2**power


def test_windows_move_the_corner():
    grid = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 360, 180)
    assert grid.wraps
    window = grid.window(10, -5, 20, 30)
    assert window.bbox.edges == (-185, 60, -155, 80)
    assert not window.wraps


DOMAIN = DomainSet(
    RectifiedGrid.from_bbox(BoundingBox(0, 40, 20, 60, LATLON), 20, 20),
    (TimeAxis("time", np.array([0])), IrregularAxis("depth", np.array([0.5, 1.5]), "m")),
)


@pytest.mark.parametrize(
    ("names", "axis"),
    [
        (("Long", "lon", "LONGITUDE", "x", "Lon"), "x"),
        (("Lat", "lat", "latitude", "y"), "y"),
        (("ansi", "unix", "time", "t", "phenomenonTime", "Time"), "time"),
        (("elevation", "depth", "z"), "depth"),
        (("http://www.opengis.net/def/axis/OGC/1/i",), "x"),
    ],
)
def test_axes_answer_to_their_aliases(names, axis):
    for name in names:
        found = DOMAIN.axis(name)
        assert (found if isinstance(found, str) else found.name) == axis


def test_an_unknown_axis_is_told_the_known_ones():
    with pytest.raises(AxisNotFound, match="Lat, Long, time, depth"):
        DOMAIN.axis("scenario")


@pytest.mark.parametrize("ours", [one for one in well_known_sets() if one.uri])
def test_tile_matrices_are_those_of_morecantile(ours):
    theirs = morecantile.tms.get(ours.id)
    for matrix in ours.matrices[:16]:
        their = theirs.matrix(int(matrix.id))
        assert ours.scale_denominator(matrix) == pytest.approx(their.scaleDenominator, rel=1e-9)
        assert (matrix.columns, matrix.rows) == (their.matrixWidth, their.matrixHeight)
        row, column = matrix.rows // 3, matrix.columns // 2
        box = ours.grid_of_tile(matrix.id, row, column).bbox
        assert box.edges == pytest.approx(
            tuple(theirs.xy_bounds(column, row, int(matrix.id))), rel=1e-8, abs=1e-7
        )


def test_tiles_outside_say_which_way():
    for row, column, subject in ((4, 0, "TileRow"), (0, -1, "TileCol")):
        with pytest.raises(TileOutOfRange) as caught:
            web_mercator_quad().grid_of_tile("2", row, column)
        assert caught.value.subject == subject


def test_limits_hold_exactly_the_tiles_of_a_box():
    quad = world_crs84_quad()
    matrix = quad.matrix("2")
    assert quad.limits(matrix, BoundingBox(0, 0, 45, 45, CRS84)) == (1, 1, 4, 4)
    assert quad.limits(matrix, BoundingBox(-180, -90, 180, 90, CRS84)) == (0, 3, 0, 7)


def test_packed_values_decode_as_xarray_does():
    field = Field("sst", "int16", nil=-32768, scale=0.01, offset=273.15)
    packed = np.array([-200, 3000, -32768], np.int16)
    values = field.decode(packed, field.valid(packed))
    assert values.dtype == np.float64
    assert values[0] == -200 * 0.01 + 273.15
    assert np.isnan(values[2])
    assert Field("t", "float32").physical_dtype == np.float32


def test_fields_answer_to_name_and_standard_name():
    fields = RangeType(
        (Field("B04", "uint16"), Field("t", "float32", standard_name="air_temperature"))
    )
    assert fields.field("b04").name == "B04"
    assert fields.field("air_temperature").name == "t"
