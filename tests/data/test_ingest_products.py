"""Real products through ingest: every probe of facts.json, and raw numbers bit for bit."""

import json
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import rasterio

from datacube.ingest.pipeline import ingest
from datacube.model.axis import IrregularAxis
from tests.data.lookup import find, probes_of
from tests.unit.ingest.products import opened, whole

pytestmark = pytest.mark.data

OSTIA = "ocean/20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc4"
SCENE = "sentinel2/S2A_MSIL2A_20200219T112111_N0214_R037_T29RKH_20200219T123947.SAFE"
NAMED = {
    "ostia": OSTIA,
    "era5": "atmosphere/era5-2mt-2019-03-uk.grib",
    "currents": "ocean/cmems_phy_001_024_uovo_brazil.nc",
    "gdps": "atmosphere/CMC_glb_TMP_TGL_2_latlon.15x.15_2020081000_P000.grib2",
}


@pytest.fixture(scope="session")
def facts(test_data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((test_data / "facts.json").read_text())
    return found


@pytest.fixture(scope="module")
def store(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with the named products and the Sentinel-2 scene."""
    url = str(tmp_path_factory.mktemp("store"))
    for cube_id, path in NAMED.items():
        report = ingest([str(test_data / path)], store=url, cube=cube_id)
        assert report.exit_code == 0, report.results
    assert ingest([str(test_data / SCENE)], store=url).results[0].cubes == ("s2-l2a-29RKH",)
    return url


def probes(fact: dict[str, Any]) -> list[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """(variable, dimensions, probe) of a file."""
    cubes = fact.get("cubes", [fact])
    return [
        (name, tuple(variable["dims"]), probe)
        for cube in cubes
        for name, variable in cube.get("variables", {}).items()
        for probe in variable.get("probes", [])
    ]


@pytest.mark.parametrize("cube_id", NAMED)
def test_probe_values_come_back_exactly(store, facts, cube_id):
    cube = opened(store, cube_id)
    found = list(probes_of(facts[NAMED[cube_id]]))
    assert found
    for probe in found:
        value = find([cube], probe)
        assert value is not None
        assert np.float32(value) == np.float32(probe.value), probe


def test_packed_numbers_are_those_of_the_file(store, test_data):
    cube = opened(store, "ostia")
    with netCDF4.Dataset(test_data / OSTIA) as file:
        file.set_auto_maskandscale(False)
        for name in ("analysed_sst", "sst_anomaly"):
            raw = np.asarray(file.variables[name][0])
            stored = whole(cube, name)
            assert stored.dtype == raw.dtype == np.int16
            np.testing.assert_array_equal(stored, raw)
            field = cube.description.range_type.field(name)
            assert field.scale == float(file.variables[name].scale_factor)
            assert field.offset == float(file.variables[name].add_offset)
            assert field.nil == -32768


@pytest.mark.parametrize(
    ("cube_id", "edges", "first", "last", "count"),
    [
        ("ostia", (0, -90, 360, 90), "2017-06-05T12:00:00Z", "2017-06-05T12:00:00Z", 1),
        (
            "era5",
            (-10.125, 49.875, 2.125, 58.125),
            "2019-03-01T00:00:00Z",
            "2019-03-31T23:00:00Z",
            744,
        ),
        (
            "currents",
            (-51 - 1 / 24, -30 - 1 / 24, -31 + 1 / 24, -15 + 1 / 24),
            "2020-01-07T00:30:00Z",
            "2020-01-07T02:30:00Z",
            3,
        ),
        (
            "gdps",
            (-180.075, -90.075, 179.925, 90.075),
            "2020-08-10T00:00:00Z",
            "2020-08-10T00:00:00Z",
            1,
        ),
    ],
)
def test_boxes_and_times(store, cube_id, edges, first, last, count):
    domain = opened(store, cube_id).description.domain
    assert domain.bbox.edges == pytest.approx(edges, abs=1e-9)
    assert domain.time is not None
    assert (domain.time.iso[0], domain.time.iso[-1], domain.time.size) == (first, last, count)


def test_currents_keep_their_single_depth(store):
    vertical = opened(store, "currents").description.domain.vertical
    assert isinstance(vertical, IrregularAxis)
    assert vertical.coordinates.tolist() == [float(np.float32(0.494025))]
    assert (vertical.name, vertical.uom) == ("depth", "m")


def test_every_pixel_of_the_scene(store, test_data):
    cube = opened(store, "s2-l2a-29RKH")
    names = ("B01", "B02", "B03", "B04", "B05", "B08", "B8A", "B09", "B11", "B12", "SCL")
    assert cube.description.range_type.names == names
    assert cube.description.domain.rectified.transform[:6] == (100, 0, 199980, 0, -100, 2800020)
    for image in sorted((test_data / SCENE).rglob("*.jp2")):
        band = image.stem.split("_")[-2]
        with rasterio.open(image, driver="JP2OpenJPEG") as file:
            own = file.read(1)
        factor = 1098 // own.shape[0]
        repeated = own.repeat(factor, axis=0).repeat(factor, axis=1)
        np.testing.assert_array_equal(whole(cube, band), repeated)


def test_the_scenes_facts(store, facts):
    cube = opened(store, "s2-l2a-29RKH")
    for path, fact in facts.items():
        if not path.startswith(SCENE) or not path.endswith(".jp2"):
            continue
        values = whole(cube, path.split("_")[-2])
        assert (values.min(), values.max()) == (fact["min"], fact["max"])
        middle = fact["height"] // 2 * (1098 // fact["height"])
        assert values[middle, middle] == fact["centre_value"]


@pytest.mark.slow
def test_scenes_of_other_extents_are_refused_in_words(test_data, tmp_path):
    images = sorted((test_data / "timeseries" / "L8NY18").rglob("LC08_L1TP_013032_*_B2.TIF"))
    report = ingest([str(path) for path in images], store=str(tmp_path))
    assert len(images) > 3
    cube = opened(tmp_path, "LC08_L1TP_013032_B2")
    good = [one for one in report.results if one.status == "ingested"]
    assert cube.description.domain.time is not None
    assert cube.description.domain.time.size == len(good) > 0
    for place, result in enumerate(good):
        with rasterio.open(result.source) as file:
            np.testing.assert_array_equal(whole(cube, "band1", place), file.read(1))
    for result in report.results:
        assert result.status == "ingested" or "its box is" in result.reason
