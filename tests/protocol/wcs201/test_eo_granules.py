"""Datasets of granules: what they were made of, when it was observed, where it lies."""

import numpy as np
import pytest
from lxml import etree
from shapely.geometry import MultiPolygon, Polygon, box

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.time import Timestamp
from datacube.store.manifest import SourceRecord
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import make_cube, slice_values
from tests.protocol.wcs201.service import SETTINGS, Service
from tests.protocol.wcs201.test_eo import EO, footprints, found

UTM = Crs.parse("EPSG:32632")
BOX = (300_000.0, 5_000_000.0, 900_000.0, 5_400_000.0)
DAY = 86_400_000


def granule(name, day, bbox=""):
    attributes = {"bbox": bbox} if bbox else {}
    ingested = f"2024-05-0{day}T12:00:00Z"
    return SourceRecord(name, "S2MSI2A", f"file:///secret/{name}", "", ingested, attributes)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A cube of two days: the first of two granules that say where they lie, the second not."""
    store = open_store(str(tmp_path_factory.mktemp("granules")))
    cube = make_cube(store, "s2", times=(), width=60, height=40, crs="EPSG:32632", bbox=BOX)
    values = slice_values(cube.description, 0)
    first = Timestamp.parse("2024-05-01").ticks("standard")
    with transaction(store, "s2", "granules") as tx:
        tx.write_slice(
            first, values, granule("north", 2, "7.0,47.0,9.0,48.0"), bounds=(first, first + 9000)
        )
        tx.write_slice(
            first + DAY, values, granule("nowhere", 3), bounds=(first + DAY, first + DAY)
        )
    east = granule("east", 3, "10.0,46.0,30.0,47.0")
    with transaction(store, "s2", "more") as tx:
        other = slice_values(cube.description, 1)
        tx.write_slice(first, other, east, bounds=(first, first + 9000))
    return Service(make_context(store, Config(SETTINGS)))


def observation(service, stamp):
    return service.describe(f"s2__{stamp}").find(".//eop:EarthObservation", EO)


def test_what_it_was_made_of(service):
    about = observation(service, "20240501T000000Z")
    named = [one.text for one in about.iterfind(".//eop:SpecificInformation/eop:localValue", EO)]
    assert named == ["north", "east"]
    assert about.find(".//eop:productType", EO).text == "S2MSI2A"
    assert about.find("om:resultTime//gml:timePosition", EO).text == "2024-05-03T12:00:00Z"
    assert b"secret" not in etree.tostring(about)


def test_the_time_of_observation_is_that_of_the_bounds(service):
    period = observation(service, "20240501T000000Z").find("om:phenomenonTime/gml:TimePeriod", EO)
    assert [one.text for one in period] == ["2024-05-01T00:00:00Z", "2024-05-01T00:00:09Z"]
    asked = 'eoId=s2&subset=phenomenonTime("2024-05-01T00:00:05Z","2024-05-01T00:00:06Z")'
    assert found(service, asked)[0] == ["s2__20240501T000000Z"]
    assert found(service, f"{asked}&containment=contains")[0] == []


def test_footprints_are_those_of_granules_within_the_grid(service):
    shapes = MultiPolygon(list(footprints(observation(service, "20240501T000000Z"))))
    assert shapes.contains(box(7.1, 47.1, 8.9, 47.9))
    assert shapes.contains(box(10.1, 46.1, 13.0, 46.9))
    assert shapes.bounds[2] < 15.0  # where the grid ends
    assert not shapes.intersects(box(9.1, 47.1, 9.9, 48.9))


def test_a_granule_that_says_nothing_covers_the_grid(service):
    (shape,) = footprints(observation(service, "20240502T000000Z"))
    assert isinstance(shape, Polygon)
    x, y = transform(*np.array(shape.exterior.coords).T, CRS84, UTM)
    assert (x.min(), y.min(), x.max(), y.max()) == pytest.approx(BOX, abs=1.0)


@pytest.mark.parametrize(
    ("subset", "days"),
    [
        ("subset=Long(7,9)&subset=Lat(47,48)", ["01", "02"]),
        ("subset=Long(9.2,9.8)&subset=Lat(47.5,48)", ["02"]),
        ("subset=Long(40,50)", []),
        ("subset=Long(0,15)&subset=Lat(40,50)&containment=contains", ["01", "02"]),
        ("subset=Long(6.5,14.9)&subset=Lat(45.9,48.1)&containment=contains", ["01"]),
    ],
)
def test_sets_by_place(service, subset, days):
    expected = [f"s2__202405{day}T000000Z" for day in days]
    assert found(service, f"eoId=s2&sections=CoverageDescriptions&{subset}")[0] == expected
