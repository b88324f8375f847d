"""``f`` before ``Accept``."""

import pytest

from datacube.errors import InvalidFormat
from services.ogcapi.media import NotAcceptable, accepted, coverage_encoder, document_format

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("f", "accept", "expected"),
    [
        (None, "", "json"),
        (None, "*/*", "json"),
        (None, BROWSER, "html"),
        ("json", BROWSER, "json"),
        ("HTML", "", "html"),
        (None, "application/ld+json", "jsonld"),
        (None, "text/html;q=0, application/json", "json"),
    ],
)
def test_documents(f, accept, expected):
    assert document_format(f, accept) == expected


@pytest.mark.parametrize(
    ("f", "accept", "extension"),
    [
        (None, "", "covjson"),
        (None, "*/*", "covjson"),
        (None, BROWSER, "covjson"),
        (None, "image/tiff;application=geotiff", "tif"),
        (None, "image/*", "tif"),
        (None, "application/netcdf", "nc"),
        (None, "application/json", "covjson"),
        ("geotiff", "application/json", "tif"),
        ("netcdf", "", "nc"),
        ("json", "", "covjson"),
        ("image/tiff; application=geotiff", "", "tif"),
    ],
)
def test_coverages(f, accept, extension):
    assert coverage_encoder(f, accept).extension == extension


def test_accept_that_cannot_be_met():
    with pytest.raises(NotAcceptable):
        coverage_encoder(None, "video/mp4")
    with pytest.raises(NotAcceptable):
        document_format(None, "video/mp4")


def test_f_that_is_not_offered():
    with pytest.raises(InvalidFormat, match="offered are"):
        coverage_encoder("shapefile", "")
    with pytest.raises(InvalidFormat, match="json, html"):
        document_format("xml", "")


def test_accept_nonsense():
    assert accepted(";;;q=,/;q=x,a") == ()
