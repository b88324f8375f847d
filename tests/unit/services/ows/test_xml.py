import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from datacube.errors import InvalidParameter
from datacube.model.markup import LARGEST_DOCUMENT, parse
from services.ows.xml import XLINK, Maker, clean, serialise

WMS = Maker("http://www.opengis.net/wms", {None: "http://www.opengis.net/wms", "xlink": XLINK})


def test_children_and_attributes():
    made = WMS("Layer", WMS("Name", "a"), None, WMS("Width", 5), queryable="1", opaque=None)
    assert [child.text for child in made] == ["a", "5"]
    assert dict(made.attrib) == {"queryable": "1"}
    assert made.tag == "{http://www.opengis.net/wms}Layer"


def test_prefixes_stay():
    document = serialise(WMS("A", WMS("B", xlink_href="http://h/?a=1&b=2")))
    assert b'<A xmlns="http://www.opengis.net/wms" xmlns:xlink=' in document
    assert b'<B xlink:href="http://h/?a=1&amp;b=2"/>' in document


@given(st.text())
def test_any_text_comes_back_clean(text):
    document = serialise(WMS("A", WMS("B", text), title=text))
    root = etree.fromstring(document)
    expected = clean(text).replace("\r\n", "\n")
    assert (root[0].text or "").replace("\r", "\n") == expected.replace("\r", "\n")


def test_parse_refuses_what_is_dangerous():
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    outside = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    for document in (bomb, outside, b"<a>", b"", b"<a/>" + b" " * LARGEST_DOCUMENT):
        with pytest.raises(InvalidParameter):
            parse(document)
    assert parse(b"<a><!-- no --><b/></a>")[0].tag == "b"
