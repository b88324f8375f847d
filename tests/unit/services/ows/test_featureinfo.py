import json

import pytest

from datacube.engine.sample import Sample
from datacube.errors import InvalidFormat
from datacube.model.fields import Category, Field
from services.ows.featureinfo import INFO_FORMATS, encode_samples, info_format, most_recent

SST = Field("sst", "int16", uom="K", title="Sea <surface>", scale=0.01)
KIND = Field("kind", "uint8", categories=(Category(1, "Water & ice"),))


def sample(field=SST, value=280.5, **changes):
    known = {
        "layer": "cube",
        "field": field,
        "value": value,
        "raw": 1,
        "label": None,
        "time": "2020-01-01T00:00:00Z",
        "places": {"depth": 10.0},
        "lon": 5.5,
        "lat": 50.25,
        "distance": 12.34567,
    }
    return Sample(**(known | changes))


def document(*samples):
    return json.loads(encode_samples(samples, "application/json"))


def test_json_has_what_was_used():
    (feature,) = document(sample())["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [5.5, 50.25]}
    assert feature["properties"] == {
        "layer": "cube",
        "field": "sst",
        "title": "Sea <surface>",
        "value": 280.5,
        "unit": "K",
        "time": "2020-01-01T00:00:00Z",
        "depth": 10.0,
        "longitude": 5.5,
        "latitude": 50.25,
        "distance_m": 12.346,
    }


def test_nothing_there():
    gone = sample(value=None, time=None, places={}, lon=None, lat=None, distance=None)
    (feature,) = document(gone)["features"]
    assert feature["geometry"] is None
    assert feature["properties"]["value"] is None
    assert "time" not in feature["properties"]
    assert document()["features"] == []


def test_infinity_is_no_json():
    assert document(sample(value=float("inf")))["features"][0]["properties"]["value"] is None


def test_classes_have_a_label():
    found = document(sample(KIND, 1.0, label="Water & ice"))["features"][0]["properties"]
    assert found["label"] == "Water & ice"


def test_text_and_html():
    text = encode_samples([sample(), sample(KIND, None)], "text/plain").decode()
    assert "value: 280.5\n" in text
    assert "value: no data\n" in text
    html = encode_samples([sample()], "text/html").decode()
    assert "<td>Sea &lt;surface&gt;</td>" in html


def test_the_last_value_counts():
    samples = [sample(value=1.0), sample(value=2.0), sample(value=None), sample(KIND, None)]
    assert [one.value for one in most_recent(samples)] == [2.0, None]


def test_formats():
    assert INFO_FORMATS[:2] == ("application/vnd.ogc.gml", "application/json")  # for QGIS
    assert info_format("application/JSON; subtype=geojson") == "application/json"
    with pytest.raises(InvalidFormat, match="text/html"):
        info_format("text/xml")
