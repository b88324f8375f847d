"""GetMetadata, DescribeLayer and GetStyles; values in every format."""

import csv
import io
import json

import numpy as np
import pytest

from services.ows.featureinfo import INFO_FORMATS
from tests.protocol.pictures import BASE, rgba, root_of
from tests.protocol.wms130.test_errors import INFO, code_of, query_of

VALUES = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
SLD = {"sld": "http://www.opengis.net/sld", "se": "http://www.opengis.net/se"}
XLINK = "{http://www.w3.org/1999/xlink}href"


def metadata(wms, query):
    response = wms.raw(f"SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMetadata&{query}")
    assert response.media_type == "application/json", response.body
    return json.loads(response.body)


def test_the_menu_names_every_layer(wms):
    menu = metadata(wms, "ITEM=menu")
    assert menu["label"] == "Closed forms"
    names = [layer["id"] for cube in menu["children"] for layer in cube["children"]]
    assert {"globe", "globe.v", "deep.v", "utm.v"} <= set(names)


def test_details_of_a_layer(wms):
    found = metadata(wms, "ITEM=layerDetails&LAYERNAME=deep.v")
    assert found["units"] == "K"
    assert found["bbox"] == [-180, -90, 180, 90]
    assert found["zaxis"] == {"units": "m", "positive": False, "values": [0.5, 10, 100]}
    assert found["datesWithData"] == {"2020": {"0": [1]}}
    assert found["nearestTimeIso"] == "2020-01-01T00:00:00Z"
    assert (found["defaultPalette"], found["scaleRange"]) == ("gray", [0, 63.75])
    assert len(found["palettes"]) > 150
    assert found["supportedStyles"][:2] == ["boxfill", "contour"]
    assert found["defaultStyle"] in found["supportedStyles"]
    assert "zaxis" not in metadata(wms, "ITEM=layerDetails&LAYERNAME=utm.v")


def test_steps_of_a_day(wms):
    query = "ITEM=timesteps&LAYERNAME=globe.v&DAY=2020-01-02"
    assert metadata(wms, query) == {"timesteps": ["00:00:00Z"]}


def test_the_range_of_a_step(wms):
    found = metadata(wms, "ITEM=minmax&LAYERS=globe.v&TIME=2020-01-02&STYLES=&BBOX=-180,-90,180,90")
    wanted = np.percentile(100 + VALUES, [2, 98])
    assert [found["min"], found["max"]] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("ITEM=nothing&LAYERNAME=globe.v", None),
        ("ITEM=layerDetails&LAYERNAME=nothing", "LayerNotDefined"),
        ("ITEM=timesteps&LAYERNAME=globe.v&DAY=1999-01-01", "InvalidDimensionValue"),
        ("ITEM=timesteps&LAYERNAME=utm.v&DAY=1999-01-01", None),
        ("ITEM=layerDetails", None),
        ("", None),
    ],
)
def test_refused_metadata(wms, query, code):
    assert code_of(wms.raw(f"VERSION=1.3.0&REQUEST=GetMetadata&{query}")) == code


def test_describe_layer(wms, xsd_validator):
    old = wms.raw("VERSION=1.1.1&REQUEST=DescribeLayer&LAYERS=globe.v,deep")
    assert xsd_validator(old.body) == []
    found = [(one.get("name"), one.get("owsURL")) for one in root_of(old)]
    assert found == [("globe.v", f"{BASE}/wcs?"), ("deep", f"{BASE}/wcs?")]
    assert root_of(old).find("LayerDescription/Query").get("typeName") == "globe"
    new = root_of(wms.raw("VERSION=1.3.0&REQUEST=DescribeLayer&LAYERS=globe.v&SLD_VERSION=1.1.0"))
    assert new.findtext(".//se:CoverageName", None, SLD) == "globe"
    assert new.find(".//se:OnlineResource", SLD).get(XLINK) == f"{BASE}/wcs?"
    assert code_of(wms.raw("VERSION=1.3.0&REQUEST=DescribeLayer&LAYERS=x")) == "LayerNotDefined"


def test_styles_that_are_given_draw_the_same(wms):
    response = wms.raw("VERSION=1.1.1&REQUEST=GetStyles&LAYERS=globe.v")
    root = root_of(response)
    names = [one.text for one in root.findall(".//sld:UserStyle/sld:Name", SLD)]
    assert names[:2] == ["exact", "coarse"]
    query = (
        "VERSION=1.3.0&REQUEST=GetMap&FORMAT=image/png&CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=10"
        "&HEIGHT=5&TIME=2020-01-01&LAYERS=globe.v"
    )
    pairs = [tuple(pair.split("=")) for pair in query.split("&")]
    own = rgba(wms.pairs([*pairs, ("SLD_BODY", response.body.decode().split("?>", 1)[1])]))
    ours = rgba(wms.pairs([*pairs, ("STYLES", "exact")]))
    np.testing.assert_allclose(own.astype(int), ours.astype(int), atol=3)


@pytest.mark.parametrize("name", INFO_FORMATS)
def test_every_format_of_values(wms, name):
    response = wms.raw(
        query_of(INFO, INFO_FORMAT=name.replace("+", "%2B"), I="3", J="2", TIME="2020-01-02")
    )
    assert response.media_type == name
    text = response.body.decode()
    assert "2" in text
    assert "globe.v" in text


def test_values_as_a_table(wms):
    query = query_of(INFO, INFO_FORMAT="text/csv", LAYERS="globe.v,holes.v", TIME="2020-01-02")
    query = query.replace("QUERY_LAYERS=globe.v", "QUERY_LAYERS=globe.v,holes.v")
    found = list(csv.DictReader(io.StringIO(wms.raw(query).body.decode())))
    assert [row["layer"] for row in found] == ["globe.v", "holes.v"]
    assert found[0]["unit"] == "K"
    assert found[0]["time"] == "2020-01-02T00:00:00Z"


def test_values_as_gml(wms):
    query = query_of(INFO, INFO_FORMAT="application/vnd.ogc.gml", TIME="2020-01-01")
    root = root_of(wms.raw(query))
    gml = {"gml": "http://www.opengis.net/gml", "v": "urn:datacube:values"}
    assert root.findtext(".//v:value", None, gml) is not None
    x, y = map(float, root.findtext(".//gml:coordinates", None, gml).split(","))
    assert -180 <= x <= 180
    assert -90 <= y <= 90
