"""INSPIRE's extended capabilities in both forms, the languages, and records of cubes elsewhere."""

from dataclasses import replace

import pytest
from lxml import etree

from datacube.config.metadata import InspireSettings, MetadataLink, Wording
from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import open_context
from services.wms import service
from tests.protocol.pictures import BASE, Maps, root_of, settings, write_cubes

NS = {
    "w": "http://www.opengis.net/wms",
    "vs": "http://inspire.ec.europa.eu/schemas/inspire_vs/1.0",
    "c": "http://inspire.ec.europa.eu/schemas/common/1.0",
}
HREF = "{http://www.w3.org/1999/xlink}href"
GET = "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities"
GERMAN = {"ger": Wording("Geschlossene Terme", "Würfel zum Prüfen")}
RECORD = MetadataLink("https://example.org/csw?id=1", "ISO19115:2003", "application/xml")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspire")
    write_cubes(folder)
    return folder


def opened(store, inspire):
    known = settings()
    cubes = {"globe": CubeSettings(metadata=(RECORD,))}
    config = Config(replace(known.server, inspire=inspire), cubes)
    return Maps(open_context(str(store), config), service, "/wms")


@pytest.fixture(scope="module")
def pointing(store):
    url = "https://example.org/record.xml"
    return opened(store, InspireSettings(metadata_url=url, date="2026-01-31", languages=GERMAN))


@pytest.fixture(scope="module")
def telling(store):
    return opened(store, InspireSettings(date="2026-01-31", conformity="conformant"))


def extended(maps, query=GET):
    return root_of(maps.raw(query)).find("w:Capability/vs:ExtendedCapabilities", NS)


def said(element, path):
    return [one.text for one in element.findall(path, NS)]


def test_a_record_elsewhere(pointing, xsd_validator):
    body = pointing.raw(GET).body
    assert xsd_validator(body) == []
    found = extended(pointing)
    assert [etree.QName(one).localname for one in found] == [
        "MetadataUrl",
        "SupportedLanguages",
        "ResponseLanguage",
    ]
    assert said(found, "c:MetadataUrl/c:URL") == ["https://example.org/record.xml"]
    assert said(found, "c:SupportedLanguages/c:DefaultLanguage/c:Language") == ["eng"]
    assert said(found, "c:SupportedLanguages/c:SupportedLanguage/c:Language") == ["ger"]


def test_what_a_record_would_say(telling, xsd_validator):
    assert xsd_validator(telling.raw(GET).body) == []
    found = extended(telling)
    assert said(found, "c:ResourceType") == ["service"]
    assert said(found, "c:SpatialDataServiceType") == ["view"]
    assert said(found, "c:Conformity/c:Degree") == ["conformant"]
    assert said(found, "c:MetadataDate") == ["2026-01-31"]
    assert said(found, "c:MetadataPointOfContact/c:EmailAddress") == ["n@example.org"]
    assert said(found, "c:MandatoryKeyword/c:KeywordValue") == ["infoMapAccessService"]
    assert said(found, "c:Keyword/c:KeywordValue") == ["test", "cube"]
    assert said(found, "c:ResourceLocator/c:URL") == [
        f"{BASE}/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities"
    ]


@pytest.mark.parametrize(
    ("asked", "answered", "title"),
    [
        ("", "eng", "Closed forms"),
        ("&LANGUAGE=eng", "eng", "Closed forms"),
        ("&language=GER", "ger", "Geschlossene Terme"),
        ("&LANGUAGE=fre", "eng", "Closed forms"),
    ],
)
def test_languages(pointing, asked, answered, title):
    root = root_of(pointing.raw(GET + asked))
    assert root.findtext("w:Service/w:Title", None, NS) == title
    assert root.findtext("w:Capability/w:Layer/w:Title", None, NS) == title
    found = root.find("w:Capability/vs:ExtendedCapabilities", NS)
    assert said(found, "c:ResponseLanguage/c:Language") == [answered]


def test_other_versions_speak_the_language_without_the_element(pointing, xsd_validator):
    query = GET.replace("1.3.0", "1.1.1") + "&LANGUAGE=ger"
    body = pointing.raw(query).body
    assert xsd_validator(body) == []
    assert "Geschlossene Terme" in body.decode()
    assert b"inspire" not in body


def test_nothing_of_it_where_it_is_not_configured(wms):
    assert b"inspire" not in wms.raw(f"{GET}&LANGUAGE=ger").body


def records(root, name):
    (layer,) = (one for one in root.iter("{*}Layer") if one.findtext("{*}Name") == name)
    return [
        (one.get("type"), one.findtext("{*}Format"), one.find("{*}OnlineResource").get(HREF))
        for one in layer.findall("{*}MetadataURL")
    ]


def test_records_of_cubes(pointing):
    root = root_of(pointing.raw(GET))
    collection = f"{BASE}/ogcapi/collections/%s?f=json"
    own = ("ISO19115:2003", "application/xml", RECORD.url)
    for name in ("globe", "globe.v"):
        assert records(root, name) == [own, _collection(collection % "globe")]
    assert records(root, "utm.v") == [_collection(collection % "utm")]
    older = root_of(pointing.raw(GET.replace("1.3.0", "1.1.1")))
    assert records(older, "globe.v") == [("TC211", "application/xml", RECORD.url)]
    assert records(older, "utm.v") == []


def _collection(url):
    return "OGCAPI-Common", "application/json", url
