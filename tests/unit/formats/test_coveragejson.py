import json

import numpy as np

from datacube.formats.coveragejson import encode, numbers
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.model.fields import Category, Field
from tests.unit.formats.coverages import days, make_coverage


def document(coverage):
    return json.loads(b"".join(encode(coverage, {})))


def test_domain_axes_and_referencing():
    depth = IrregularAxis("depth", np.array([1.0, 5.0]), "m", "depth")
    found = document(make_coverage(axes=(days(18262, 18264), depth)))
    assert found["type"] == "Coverage"
    domain = found["domain"]
    assert domain["domainType"] == "Grid"
    assert domain["axes"]["x"] == {"start": -19, "stop": -9, "num": 6}
    assert domain["axes"]["y"] == {"start": 59, "stop": 53, "num": 4}
    assert domain["axes"]["t"]["values"] == ["2020-01-01T00:00:00Z", "2020-01-03T00:00:00Z"]
    assert domain["axes"]["z"]["values"] == [1, 5]
    systems = {tuple(one["coordinates"]): one["system"] for one in domain["referencing"]}
    assert systems["y", "x"]["id"] == "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert systems["t",] == {"type": "TemporalRS", "calendar": "Gregorian"}
    assert systems["z",]["cs"]["csAxes"][0]["direction"] == "down"


def test_values_are_physical_and_null_where_nothing_is():
    field = Field("sst", "int16", "K", -32768, 0.01, 273.15, "Temperature", "air_temperature")
    coverage = make_coverage(field, invalid=[(0, 1)])
    found = document(coverage)
    values = found["ranges"]["sst"]
    assert values["axisNames"] == ["y", "x"]
    assert values["shape"] == [4, 6]
    physical = coverage.blocks["sst"].physical().ravel().tolist()
    assert values["values"][1] is None
    assert [a == b for a, b in zip(values["values"], physical, strict=True)].count(False) == 1
    parameter = found["parameters"]["sst"]
    assert parameter["unit"]["symbol"]["value"] == "K"
    assert parameter["observedProperty"]["id"].endswith("/air_temperature/")
    assert parameter["observedProperty"]["label"]["en"] == "Temperature"


def test_several_fields_further_axes_and_classes():
    classes = (Category(1, "water", "#0000ff"),)
    coverage = make_coverage(
        Field("a", "float32"),
        Field("scl", "uint8", categories=classes),
        axes=(IndexAxis("member", 2),),
    )
    found = document(coverage)
    assert found["ranges"]["a"]["axisNames"] == ["member", "y", "x"]
    assert found["ranges"]["a"]["values"][24 + 7] == 1011
    assert found["parameters"]["scl"]["categoryEncoding"] == {"1": 1}
    assert found["parameters"]["scl"]["observedProperty"]["categories"][0]["label"]["en"] == "water"


def test_a_foreign_calendar_is_named():
    found = document(make_coverage(axes=(days(59, calendar="360_day"),)))
    assert found["domain"]["axes"]["t"]["values"] == ["1970-02-30T00:00:00Z"]
    assert found["domain"]["referencing"][1]["system"]["calendar"].endswith("360_day")


def test_numbers_are_exact_across_pieces_and_never_infinite():
    rng = np.random.default_rng(1)
    values = rng.normal(size=70_000)
    values[65_536] = np.inf
    values[3] = np.nan
    found = json.loads("[" + "".join(numbers(values)) + "]")
    assert len(found) == values.size
    assert found[3] is None
    assert found[65_536] is None
    good = np.isfinite(values)
    assert np.array_equal(np.array(found, dtype=float)[good], values[good])
    single = np.array([271.35], "float32")
    assert json.loads("".join(numbers(single))) == float(single[0])


def test_long_ones_come_in_pieces():
    pieces = list(encode(make_coverage(Field("v", "int32"), size=(400, 400), step=(0.1, -0.1)), {}))
    assert len(pieces) > 2
    assert len(json.loads(b"".join(pieces))["ranges"]["v"]["values"]) == 160_000
