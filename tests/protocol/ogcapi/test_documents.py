"""pygeoapi's documents over our catalog: right, whole, and with no link to nowhere."""

import json
from importlib.resources import files

import jsonschema
import pytest
from lxml import html

CUBES = ["closed", "levels", "members", "plain", "utm"]
PAGES = [
    "",
    "/collections",
    "/collections/closed",
    "/collections/members",
    "/collections/closed/schema",
    "/collections/closed/queryables",
    "/conformance",
    "/openapi",
]


def links(document, rel):
    return [link for link in document["links"] if link["rel"].endswith(rel)]


def all_links(document):
    match document:
        case {"href": href, **rest}:
            yield href
            yield from all_links(rest)
        case dict():
            for value in document.values():
                yield from all_links(value)
        case list():
            for value in document:
                yield from all_links(value)


@pytest.mark.parametrize("root", ["/ogcapi", "/ogcapi/"])
def test_landing(ogcapi, root):
    document = ogcapi.get(root).json()
    assert document["title"] == "Test server"
    for rel in ("self", "service-desc", "conformance", "data"):
        assert links(document, rel)


def test_conformance(ogcapi):
    classes = ogcapi.get("/ogcapi/conformance").json()["conformsTo"]
    for name in (
        "common-1/1.0/conf/core",
        "coverages-1/1.0/conf/core",
        "coverages-1/1.0/conf/scaling",
    ):
        assert f"http://www.opengis.net/spec/ogcapi-{name}" in classes


def test_collections(ogcapi):
    document = ogcapi.get("/ogcapi/collections").json()
    assert [one["id"] for one in document["collections"]] == CUBES


@pytest.mark.parametrize("path", ["", "/collections", "/collections/closed"])
def test_every_link_is_answered(ogcapi, path):
    document = ogcapi.get(f"/ogcapi{path}").json()
    found = {href for href in all_links(document) if href.startswith("http://test")}
    assert len(found) > 5
    need_places = tuple(f"/{kind}" for kind in ("position", "trajectory", "area"))
    wanted = {href: 400 if href.endswith(need_places) else 200 for href in found}
    assert {href: ogcapi.get(href).status_code for href in found} == wanted


def test_collection(ogcapi):
    document = ogcapi.get("/ogcapi/collections/closed").json()
    assert document["title"] == "Closed <form> & more"
    assert document["description"] == "Made by hand"
    assert document["extent"]["spatial"]["bbox"] == [[-180.0, -90.0, 180.0, 90.0]]
    assert document["extent"]["spatial"]["grid"][0] == {"cellsCount": 20, "resolution": 18.0}
    assert document["extent"]["temporal"] == {
        "interval": [["2020-01-01T00:00:00Z", "2020-01-03T00:00:00Z"]],
        "grid": {"resolution": "P1D"},
    }
    assert document["storageCrs"] == "http://www.opengis.net/def/crs/EPSG/0/4326"


def test_further_axes(ogcapi):
    extent = ogcapi.get("/ogcapi/collections/levels").json()["extent"]
    assert extent["depth"]["grid"]["coordinates"] == [0.0, 10.0, 50.0]
    assert extent["depth"]["unit"] == "m"
    runs = ogcapi.get("/ogcapi/collections/members").json()["extent"]["run"]
    assert runs["grid"]["coordinates"] == ["a1b", "e1"]


def test_a_projected_collection_has_a_geographic_box(ogcapi):
    ((west, south, east, north),) = ogcapi.get("/ogcapi/collections/utm").json()["extent"][
        "spatial"
    ]["bbox"]
    assert 8.9 < west < 9.01
    assert 9.4 < east < 9.6
    assert 45.1 < south < 45.2
    assert 45.4 < north < 45.5


def test_links_that_gdal_reads(ogcapi):
    document = ogcapi.get("/ogcapi/collections/closed").json()
    types = [link["type"] for link in links(document, "/coverage")]
    assert "image/tiff; application=geotiff" in types
    assert "application/prs.coverage+json" in types
    assert links(document, "/coverage-domainset")
    assert links(document, "/coverage-rangetype")
    assert [link["type"] for link in links(document, "/map")] == ["image/png"]
    data = [link for link in document["links"] if link["rel"] == "data"]
    assert all(link["type"] != "application/json" for link in data)


def test_schema(ogcapi):
    answer = ogcapi.get("/ogcapi/collections/levels/schema")
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["properties"] == {
        "u": {"title": "u", "type": "integer", "x-ogc-unit": "m s-1"},
        "v": {"title": "v", "type": "number"},
    }


def test_domain_and_range(ogcapi):
    domain = ogcapi.get("/ogcapi/collections/levels/coverage/domainset").json()["generalGrid"]
    assert domain["axisLabels"] == ["Lat", "Long", "time", "depth"]
    assert domain["axis"][1] | {"uomLabel": "deg"} == {
        "type": "RegularAxis",
        "axisLabel": "Long",
        "lowerBound": -180.0,
        "upperBound": 180.0,
        "uomLabel": "deg",
        "resolution": 18.0,
    }
    fields = ogcapi.get("/ogcapi/collections/levels/coverage/rangetype").json()["field"]
    assert fields[0]["encodingInfo"]["dataType"].endswith("/signedInt16")


def test_openapi_is_valid_and_says_what_is_served(ogcapi):
    answer = ogcapi.get("/ogcapi/openapi")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    schema = files("pygeoapi").joinpath("resources/schemas/openapi/openapi-3.0.x.json")
    jsonschema.validate(document, json.loads(schema.read_text(encoding="utf-8")))
    assert not any(path.startswith("/stac") for path in document["paths"])
    assert "/processes/{processID}/execution" in document["paths"]
    assert "/jobs" not in document["paths"]
    parameters = document["paths"]["/collections/closed/coverage"]["get"]["parameters"]
    assert {one["name"] for one in parameters} >= {"subset", "datetime", "scale-factor", "f"}


@pytest.mark.parametrize("path", PAGES)
def test_pages(ogcapi, path):
    answer = ogcapi.get(f"/ogcapi{path}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = html.fromstring(answer.text)
    assert page.xpath("//h1")
    assert page.xpath("//form") == []
    sources = page.xpath("//script/@src | //img/@src | //link[@rel='stylesheet']/@href")
    assert all(source.startswith("http://test/") for source in sources)


def test_page_of_a_collection_escapes(ogcapi):
    answer = ogcapi.get("/ogcapi/collections/closed?f=html")
    assert "<form>" not in answer.text
    page = html.fromstring(answer.text)
    assert page.xpath("//h1/text()") == ["Closed <form> & more"]
    (picture,) = page.xpath("//img/@src")
    assert ogcapi.get(picture).headers["content-type"] == "image/png"


def test_json_ld(ogcapi):
    document = ogcapi.get("/ogcapi/collections/closed?f=jsonld").json()
    assert document["@type"] == "DataCatalog"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/collections/none", {}, 404),
        ("/collections/closed/none", {}, 404),
        ("/none", {}, 404),
        ("/collections/none/coverage", {}, 404),
        ("/collections/none/map", {}, 404),
        ("/collections?f=xml", {}, 400),
        ("/collections", {"Accept": "video/mp4"}, 406),
        ("/collections/closed/coverage", {"Accept": "video/mp4"}, 406),
        ("/collections/closed/coverage?f=shp", {}, 400),
        ("/collections/closed/coverage?subset=Lat(95:99)", {}, 400),
        ("/collections/closed/coverage?subset=Sun(1:2)", {}, 400),
        ("/collections/closed/coverage?subset=Lat(2:1)", {}, 400),
        ("/collections/closed/coverage?bbox=1,2,3", {}, 400),
        ("/collections/closed/coverage?datetime=soon", {}, 400),
        ("/collections/closed/coverage?datetime=1999-01-01/1999-02-01", {}, 400),
        ("/collections/closed/coverage?properties=none", {}, 400),
        ("/collections/closed/coverage?crs=EPSG:3857", {}, 400),
        ("/collections/closed/coverage?subest=1", {}, 400),
        ("/collections/closed/coverage?scale-size=Lon(400000),Lat(200000)", {}, 413),
        ("/collections/closed/map?width=5000", {}, 413),
        ("/collections/closed/map?style=none", {}, 404),
        ("/collections/closed/map?f=gif", {}, 400),
        ("/collections/closed/map?bgcolor=red", {}, 400),
    ],
)
def test_problems(ogcapi, path, headers, status):
    answer = ogcapi.get(f"/ogcapi{path}", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem["status"] == status
    assert len(problem["detail"]) > 15
