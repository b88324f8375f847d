"""Boxes over the antimeridian and beyond: longitudes are wrapped, and each is given once."""

import numpy as np
import pytest
from affine import Affine

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from tests.protocol.wcs1.service import Service
from tests.protocol.wcs201.service import write_cube

GAP = -1


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Twelve columns of 30 degrees, from 180 W and from 0 on."""
    url = str(tmp_path_factory.mktemp("globe"))
    field = Field("v", "int16", nil=GAP)
    for name, left, width in (("west", -180, 12), ("east", 0, 12)):
        grid = RectifiedGrid(Crs.parse("EPSG:4326"), Affine(30, 0, left, 0, -30, 90), width, 6)
        write_cube(url, name, grid, (field,))
    return Service(open_context(url, Config()), "1.0.0")


def first_row(service, coverage, left, right, further=""):
    query = f"COVERAGE={coverage}&CRS=EPSG:4326&BBOX={left},-90,{right},90&HEIGHT=6"
    values, profile, _ = service.tiff(f"{query}&WIDTH={(right - left) // 30}{further}")
    assert profile["transform"].c == left
    return values[0, 0].tolist()


@pytest.mark.parametrize(
    ("coverage", "left", "right", "columns"),
    [
        ("west", 150, 210, [11, 0]),
        ("west", 0, 360, [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]),
        ("west", -210, 150, [11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("west", 300, 420, [4, 5, 6, 7]),
        ("east", -180, 180, [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]),
        ("east", 330, 390, [11, 0]),
    ],
)
def test_up_to_a_turn_the_box_is_filled(service, coverage, left, right, columns):
    assert first_row(service, coverage, left, right) == columns


@pytest.mark.parametrize(
    ("coverage", "left", "right", "begin"),
    [("west", -540, 540, 12), ("west", -270, 270, 3), ("east", -540, 540, 18), ("west", 0, 420, 0)],
)
@pytest.mark.parametrize("further", ["", "&INTERPOLATION=bilinear"])
def test_beyond_it_there_is_no_data(service, coverage, left, right, begin, further):
    found = first_row(service, coverage, left, right, further)
    turn = found[begin : begin + 12]
    assert sorted(turn) == list(range(12))
    rest = np.array(found[:begin] + found[begin + 12 :], float)
    assert (np.isnan(rest) | (rest == GAP)).all()
