"""Exception reports of WMS 1.3.0: codes, types, statuses, pictures."""

from dataclasses import replace

import pytest

from datacube.errors import StorageError
from services.ows.reports import wms130_report
from services.ows.transport import Request
from services.wms.service import failure, handle
from tests.protocol.pictures import rgba, root_of

OGC = "{http://www.opengis.net/ogc}"
MAP = {
    "VERSION": "1.3.0",
    "REQUEST": "GetMap",
    "LAYERS": "globe.v",
    "STYLES": "",
    "CRS": "CRS:84",
    "BBOX": "-180,-90,180,90",
    "WIDTH": "10",
    "HEIGHT": "10",
    "FORMAT": "image/png",
}
INFO = MAP | {
    "REQUEST": "GetFeatureInfo",
    "QUERY_LAYERS": "globe.v",
    "INFO_FORMAT": "application/json",
    "I": "1",
    "J": "1",
}


def query_of(start, **changes):
    pairs = {**start, **changes}
    return "&".join(f"{name}={value}" for name, value in pairs.items() if value is not None)


def code_of(response):
    root = root_of(response)
    assert root.tag == f"{OGC}ServiceExceptionReport"
    return root.find(f"{OGC}ServiceException").get("code")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CRS": "EPSG:99999999"}, "InvalidCRS"),
        ({"CRS": "nonsense"}, "InvalidCRS"),
        ({"FORMAT": "image/unknown"}, "InvalidFormat"),
        ({"LAYERS": "nothing"}, "LayerNotDefined"),
        ({"LAYERS": "globe.v,nothing,globe.v", "STYLES": ""}, "LayerNotDefined"),
        ({"LAYERS": "globe.nothing"}, "LayerNotDefined"),
        ({"STYLES": "nothing"}, "StyleNotDefined"),
        ({"LAYERS": "globe.v,globe.v", "STYLES": ",nothing"}, "StyleNotDefined"),
        ({"TIME": "yesterday"}, "InvalidDimensionValue"),
        ({"TIME": "2020-01-02/2020-01-01"}, "InvalidDimensionValue"),
        ({"TIME": "2020-13-01"}, "InvalidDimensionValue"),
        ({"LAYERS": "deep.v", "ELEVATION": "deep"}, "InvalidDimensionValue"),
        ({"LAYERS": "deep.v", "ELEVATION": "1,2"}, "InvalidDimensionValue"),
        ({"LAYERS": "model.v", "TIME": "1999-02-31"}, "InvalidDimensionValue"),
        ({"TIME": "1999-02-30"}, "InvalidDimensionValue"),
        ({"BBOX": "180,-90,-180,90"}, None),
        ({"BBOX": "-180,90,180,90"}, None),
        ({"BBOX": "1,2,3"}, None),
        ({"BBOX": "a,b,c,d"}, None),
        ({"BBOX": "0,0,nan,1"}, None),
        ({"WIDTH": "0"}, None),
        ({"HEIGHT": "-5"}, None),
        ({"WIDTH": None}, None),
        ({"STYLES": None}, None),
        ({"STYLES": "a,b"}, None),
        ({"LAYERS": ""}, None),
        ({"VERSION": None}, None),
        ({"VERSION": "1.4.0"}, None),
        ({"TRANSPARENT": "maybe"}, None),
        ({"BGCOLOR": "0xGG0000"}, None),
        ({"REQUEST": "GetEverything"}, "OperationNotSupported"),
        ({"REQUEST": None}, None),
        ({"SERVICE": "WFS"}, None),
    ],
)
def test_refusals_are_valid_reports_with_status_200(wms, xsd_validator, changes, code):
    response = wms.raw(query_of(MAP, **changes))
    assert (response.status, response.media_type) == (200, "text/xml")
    assert response.header("Cache-Control") == "no-store"
    assert xsd_validator(response.body) == []
    assert code_of(response) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"I": "10"}, "InvalidPoint"),
        ({"J": "-1"}, "InvalidPoint"),
        ({"I": "one"}, "InvalidPoint"),
        ({"I": None}, None),
        ({"INFO_FORMAT": "text/unknown"}, "InvalidFormat"),
        ({"QUERY_LAYERS": "nothing"}, "LayerNotDefined"),
        ({"QUERY_LAYERS": "holes.v"}, "LayerNotDefined"),
        ({"QUERY_LAYERS": None}, None),
        ({"TIME": "x"}, "InvalidDimensionValue"),
    ],
)
def test_refusals_of_get_feature_info(wms, xsd_validator, changes, code):
    response = wms.raw(query_of(INFO, **changes))
    assert (response.status, response.media_type) == (200, "text/xml")
    assert xsd_validator(response.body) == []
    assert code_of(response) == code


def test_a_parameter_given_twice_with_two_values(wms):
    assert "2 times" in wms.raw(query_of(MAP) + "&WIDTH=20").body.decode()
    assert wms.raw(query_of(MAP) + "&WIDTH=10").media_type == "image/png"


def test_too_large_keeps_its_status(wms):
    assert wms.raw(query_of(MAP, WIDTH="1e99")).status == 413
    response = wms.raw(query_of(MAP, WIDTH="5000"))
    assert (response.status, response.media_type) == (413, "text/xml")
    assert b"4096 x 4096" in response.body
    many = ",".join(["globe.v"] * 17)
    assert wms.raw(query_of(MAP, LAYERS=many)).status == 413


def test_too_many_times(wms):
    times = ",".join(["2020-01-01"] * 17)
    assert wms.raw(query_of(MAP, TIME=times)).status == 413


def test_storage_keeps_its_status():
    response = wms130_report(StorageError("the store does not answer"))
    assert (response.status, response.header("Retry-After")) == (503, "5")


def test_strict_statuses(context):
    strict = replace(context, settings=replace(context.settings, strict_http=True))
    pairs = tuple(MAP.items())
    assert handle(strict, Request("GET", "/wms", (*pairs, ("TIME", "x")))).status == 400
    missing = (*(pair for pair in pairs if pair[0] != "LAYERS"), ("LAYERS", "nothing"))
    assert handle(strict, Request("GET", "/wms", missing)).status == 404


def test_in_image_shows_the_text_in_the_format_asked_for(wms):
    response = wms.raw(
        query_of(MAP, EXCEPTIONS="INIMAGE", TIME="x", WIDTH="200", FORMAT="image/webp")
    )
    assert (response.status, response.media_type) == (200, "image/webp")
    assert response.header("Cache-Control") == "no-store"
    pixels = rgba(response)
    assert pixels.shape == (10, 200, 4)
    assert (pixels[..., 0] < 128).any()


def test_blank_is_background(wms):
    red = wms.raw(query_of(MAP, EXCEPTIONS="BLANK", TIME="x", BGCOLOR="0xFF0000"))
    assert (rgba(red) == [255, 0, 0, 255]).all()
    clear = wms.raw(query_of(MAP, EXCEPTIONS="BLANK", LAYERS="nothing", TRANSPARENT="TRUE"))
    assert (rgba(clear)[..., 3] == 0).all()


def test_values_are_never_refused_in_a_picture(wms):
    assert code_of(wms.raw(query_of(INFO, EXCEPTIONS="INIMAGE", I="99"))) == "InvalidPoint"


def test_a_picture_that_cannot_be_made_is_a_report(wms):
    response = wms.raw(query_of(MAP, EXCEPTIONS="INIMAGE", FORMAT="image/unknown"))
    assert code_of(response) == "InvalidFormat"


def test_unexpected_failures_tell_nothing(xsd_validator):
    response = failure(Request("GET", "/wms"), "4711")
    assert response.status == 500
    assert xsd_validator(response.body) == []
    assert b"4711" in response.body


def test_text_from_the_request_cannot_break_the_report(wms, xsd_validator):
    response = wms.raw(query_of(MAP, LAYERS="%00%1b%3Cb%3E%26"))
    assert xsd_validator(response.body) == []
