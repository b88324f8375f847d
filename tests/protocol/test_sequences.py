"""updateSequence of every service: the same, in order of time, and answered by the standards."""

import pytest
from lxml import etree

from datacube.config.settings import Config, ServerSettings
from datacube.engine.context import open_context
from datacube.engine.sequence import INSTANT
from services.wcs import service as wcs
from services.wms import service as wms
from services.wmts import service as wmts
from tests.cubes import make_cube
from tests.protocol.pictures import Maps

LOWER, HIGHER = "1000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
EXCEPTIONS = [
    ("WMS", "1.3.0"),
    ("WMS", "1.1.1"),
    ("WCS", "1.0.0"),
]
EMPTY = [("WCS", "1.1.1"), ("WCS", "2.0.1"), ("WMTS", "1.0.0")]
DOORS = {"WMS": (wms, "/wms"), "WCS": (wcs, "/wcs"), "WMTS": (wmts, "/wmts")}


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequences")
    make_cube(folder, "one", width=4, height=2)
    return open_context(str(folder), Config(ServerSettings(wms_charts=False)))


def asked(context, door, version, sequence=None):
    name, path = DOORS[door]
    query = f"SERVICE={door}&VERSION={version}&REQUEST=GetCapabilities"
    query += "" if sequence is None else f"&UPDATESEQUENCE={sequence}"
    response = Maps(context, name, path).raw(query)
    return response, etree.fromstring(response.body)


def codes(root):
    return list(root.xpath("//@code | //@exceptionCode"))


@pytest.mark.parametrize(("door", "version"), EXCEPTIONS + EMPTY)
def test_every_document_has_the_same(context, door, version, xsd_validator):
    response, root = asked(context, door, version)
    assert root.get("updateSequence") == context.catalog.sequence
    assert xsd_validator(response.body) == []


@pytest.mark.parametrize(("door", "version"), EXCEPTIONS + EMPTY)
@pytest.mark.parametrize("sequence", [LOWER, "other", ""])
def test_a_lower_one_or_none_of_ours_gives_the_document(context, door, version, sequence):
    assert len(asked(context, door, version, sequence)[1]) > 1


@pytest.mark.parametrize(("door", "version"), EXCEPTIONS + EMPTY)
def test_a_higher_one_is_refused(context, door, version):
    response, root = asked(context, door, version, HIGHER)
    assert codes(root) == ["InvalidUpdateSequence"]
    assert response.status == (200 if (door, version) in EXCEPTIONS else 400)


@pytest.mark.parametrize(("door", "version"), EXCEPTIONS)
def test_the_current_one_is_an_exception_of_the_older_rules(context, door, version):
    assert codes(asked(context, door, version, context.catalog.sequence)[1]) == [
        "CurrentUpdateSequence"
    ]


@pytest.mark.parametrize(("door", "version"), EMPTY)
def test_the_current_one_is_an_empty_document_of_the_newer(context, door, version, xsd_validator):
    response, root = asked(context, door, version, context.catalog.sequence)
    assert len(root) == 0
    assert root.get("updateSequence") == context.catalog.sequence
    assert xsd_validator(response.body) == []


def test_commits_raise_it(tmp_path):
    make_cube(tmp_path, "one", width=4, height=2)
    seen = []
    context = open_context(str(tmp_path), Config())
    seen.append(context.catalog.sequence)
    make_cube(tmp_path, "two", width=4, height=2)
    seen.append(context.catalog.sequence)
    assert context.catalog.sequence == seen[-1]
    assert seen[0][:INSTANT] <= seen[1][:INSTANT]
    assert seen[0] != seen[1]


def test_processes_that_see_the_same_say_the_same(tmp_path):
    make_cube(tmp_path, "one", width=4, height=2)
    first, second = (open_context(str(tmp_path), Config()).catalog.sequence for _ in range(2))
    assert first == second
