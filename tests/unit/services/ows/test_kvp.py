import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import DatacubeError, InvalidParameter, InvalidTime, MissingParameter
from services.ows.kvp import Kvp, boolean, comma_list, integer, number, positive, word
from services.ows.times import parse_times
from services.ows.transport import Request


def test_names_have_no_case_and_values_do():
    kvp = Kvp([("lAyErS", "Sst")])
    assert kvp.one("LAYERS") == "Sst"
    assert kvp.names == ("layers",)


def test_an_empty_value_is_absent():
    kvp = Kvp([("TIME", ""), ("STYLES", " ")])
    assert "TIME" not in kvp
    assert kvp.given("TIME")
    assert kvp.optional("STYLES", comma_list, None) is None
    with pytest.raises(MissingParameter) as caught:
        kvp.one("Time")
    assert caught.value.subject == "Time"


def test_repetition():
    assert Kvp([("SERVICE", "WMS"), ("service", "wms")]).one("SERVICE") == "WMS"
    with pytest.raises(InvalidParameter, match="2 times"):
        Kvp([("WIDTH", "1"), ("width", "2")]).one("WIDTH")
    subsets = Kvp([("SUBSET", "a"), ("subset0", "b"), ("SUBSET", "c"), ("subsettingcrs", "d")])
    assert subsets.many("SUBSET") == ("a", "c")
    assert subsets.many("SUBSET", numbered=True) == ("a", "c", "b")
    assert subsets.many("FORMAT") == ()


def test_errors_name_the_parameter():
    with pytest.raises(InvalidParameter) as caught:
        Kvp([("width", "wide")]).one("WIDTH", positive)
    assert caught.value.subject == "WIDTH"
    assert "'wide'" in caught.value.message
    with pytest.raises(InvalidTime) as domain:
        Kvp([("time", "x")]).one("TIME", parse_times)
    assert domain.value.subject == "time"


def test_without():
    kvp = Kvp([("time", "Default"), ("elevation", "5")]).without("default")
    assert kvp.names == ("elevation",)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (integer, "256.0", 256),
        (integer, "-3", -3),
        (number, "-1.8e2", -180.0),
        (boolean, "TRUE", True),
        (boolean, "0", False),
        (word("KVP", "SOAP"), "soap", "SOAP"),
        (comma_list, "a, b,,c", ("a", "b", "", "c")),
    ],
)
def test_parsers_read(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (integer, "1.5"),
        (integer, "inf"),
        (number, "nan"),
        (number, "1_000"),
        (number, "0x10"),
        (positive, "0"),
        (boolean, "yes"),
        (word("KVP"), "REST"),
    ],
)
def test_parsers_refuse(parse, text):
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


@given(st.text(), st.sampled_from([integer, number, positive, boolean, parse_times]))
def test_any_text_is_read_or_refused_in_the_domain(text, parse):
    try:
        Kvp([("x", text)]).one("x", parse)
    except DatacubeError as error:
        assert error.subject  # noqa: PT017


def test_forms():
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    request = Request("POST", "/wms", (("A", "1"),), headers, b"B=%C3%A9+x&C=")
    assert request.parameters() == (("A", "1"), ("B", "é x"), ("C", ""))
    assert Request("POST", "/wms", (("A", "1"),), {}, b"B=2").parameters() == (("A", "1"),)
    with pytest.raises(InvalidParameter):
        Request("POST", "/wms", (), headers, b"\xff\xfe").parameters()
    with pytest.raises(InvalidParameter):
        Request("POST", "/wms", (), headers, b"A=%ff").parameters()
