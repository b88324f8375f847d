"""Requests by the letter of the standard, where the server is configured so."""

from dataclasses import replace

import pytest

from services.wmts import service
from tests.protocol.pictures import Maps, root_of

TILE = (
    "SERVICE=WMTS&VERSION=1.0.0&REQUEST=GetTile&LAYER=utm&STYLE=&FORMAT=image/png"
    "&TILEMATRIXSET=WebMercatorQuad&TILEMATRIX=5&TILEROW={row}&TILECOL={column}"
)
INFO = TILE.replace("GetTile", "GetFeatureInfo") + "&I=3&J=2&INFOFORMAT=text/plain"
INSIDE = {"row": 11, "column": 16}


@pytest.fixture(scope="module")
def strict(context):
    settings = replace(context.settings, wmts_strict=True)
    return Maps(replace(context, settings=settings), service, "/wmts")


def refused(response):
    (exception,) = root_of(response)
    return response.status, exception.get("exceptionCode"), exception.get("locator")


@pytest.mark.parametrize("form", [TILE, INFO])
@pytest.mark.parametrize(
    ("row", "column", "locator"), [(0, 16, "TileRow"), (11, 31, "TileCol"), (31, 0, "TileRow")]
)
def test_tiles_beside_the_limits(strict, wmts, form, row, column, locator):
    query = form.format(row=row, column=column)
    assert refused(strict.raw(query)) == (400, "TileOutOfRange", locator)
    assert wmts.raw(query).status == 200


@pytest.mark.parametrize("form", [TILE, INFO])
def test_tiles_within_them(strict, form):
    assert strict.raw(form.format(**INSIDE)).status == 200


def test_values_need_a_format(strict, wmts):
    query = INFO.format(**INSIDE).replace("&FORMAT=image/png", "")
    assert refused(strict.raw(query)) == (400, "MissingParameterValue", "format")
    assert wmts.raw(query).status == 200


def test_paths_have_no_format_to_ask_for(strict):
    path = "/wmts/1.0.0/utm/default/WebMercatorQuad/5/11/16/2/3.txt"
    url = f"https://data.example.org/cubes{path}"
    assert strict.rest(url).status == 200
