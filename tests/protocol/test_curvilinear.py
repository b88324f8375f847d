"""A tripolar grid through every door: the values of its own cells, and of the nearest on maps."""

import json
from io import BytesIO, StringIO

import numpy as np
import pytest
import xarray as xr
from lxml import etree
from PIL import Image
from rasterio.io import MemoryFile

from datacube.config.settings import Config, ServerSettings
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.fields import Field
from services.app.asgi import create_app
from tests.asgi import Client
from tests.cubes import closed_form, make_cube
from tests.positions import distances, tripolar

GRID = tripolar()
VALUES = closed_form(0, 0, 0, np.arange(GRID.height)[:, None], np.arange(GRID.width)[None, :])
DAYS = ("2020-01-01", "2020-01-02")
WCS = "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST="
BOX = "&SUBSET=Lat(62,75)&SUBSET=Long(-30,20)"
INSIDE = (GRID.x >= -30) & (GRID.x <= 20) & (GRID.y >= 62) & (GRID.y <= 75)
PART = tuple(
    slice(int(np.flatnonzero(INSIDE.any(axis))[0]), int(np.flatnonzero(INSIDE.any(axis))[-1]) + 1)
    for axis in (1, 0)
)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    store = tmp_path_factory.mktemp("curvilinear")
    fields = (Field("v", "int32", nil=-1),)
    make_cube(store, "ocean", grid=GRID, fields=fields, times=DAYS, chunks={"x": 32, "y": 32})
    make_cube(store, "plane", grid=GRID, fields=fields, times=None)
    make_cube(store, "wide", grid=tripolar(360, 60, 40), fields=fields, times=None)
    settings = ServerSettings(wcs_time_encoding="strict")
    app = create_app(Config(settings), str(store))
    yield Client(app)
    app.close()


def good(client, url):
    response = client.get(url)
    assert response.status_code == 200, response.text
    return response


def nearest(lon, lat):
    """Flat indexes of the cells nearest to places."""
    return distances(GRID, np.atleast_1d(lon), np.atleast_1d(lat)).argmin(axis=1)


def test_netcdf_has_the_cells_as_they_are(client):
    content = good(client, f"{WCS}GetCoverage&COVERAGEID=ocean&FORMAT=application/netcdf{BOX}")
    with xr.open_dataset(BytesIO(content.content), engine="h5netcdf") as found:
        assert found["v"].dims == ("time", "y", "x")
        np.testing.assert_array_equal(found["lon"], GRID.x[PART])
        np.testing.assert_array_equal(found["lat"], GRID.y[PART])
        assert {"lon", "lat"} <= set(found["v"].coords)
        for t in (0, 1):
            np.testing.assert_array_equal(found["v"][t], VALUES[PART] + 1000 * t)


def test_the_landing_page_says_that_the_grid_is_no_plain_one(client):
    page = good(client, "/").text
    size = f"{GRID.width:,} x {GRID.height:,} cells of a curvilinear grid · EPSG:4326"
    assert page.count(size) == 2


def test_csv_has_the_position_of_each_cell(client):
    table = good(client, f"{WCS}GetCoverage&COVERAGEID=plane&FORMAT=text/csv{BOX}").text
    rows = np.loadtxt(StringIO(table), delimiter=",", skiprows=1)
    assert table.splitlines()[0] == "Lat,Long,v"
    expected = [one[PART].ravel() for one in (GRID.y, GRID.x, VALUES)]
    np.testing.assert_array_equal(rows, np.stack(expected, axis=-1))


def test_coveragejson_is_a_series_of_points(client):
    url = "/ogcapi/collections/ocean/coverage?f=covjson&bbox=-30,62,20,75"
    found = json.loads(good(client, url).text)
    assert found["domain"]["domainType"] == "MultiPointSeries"
    points = np.array(found["domain"]["axes"]["composite"]["values"])
    np.testing.assert_array_equal(points, np.stack([GRID.x[PART], GRID.y[PART]], -1).reshape(-1, 2))
    values = found["ranges"]["v"]
    assert values["axisNames"] == ["t", "composite"]
    assert values["shape"] == [2, len(points)]
    assert values["values"][: len(points)] == VALUES[PART].ravel().tolist()


def test_edr_positions_and_cubes(client):
    url = "/ogcapi/collections/ocean/position?coords=POINT(12.3 45.6)&f=covjson&datetime=2020-01-02"
    found = json.loads(good(client, url).text)
    assert found["ranges"]["v"]["values"] == [VALUES.ravel()[nearest(12.3, 45.6)[0]] + 1000]
    url = "/ogcapi/collections/ocean/cube?bbox=-30,62,20,75&f=covjson&datetime=2020-01-01"
    found = json.loads(good(client, url).text)
    assert found["ranges"]["v"]["values"][: VALUES[PART].size] == VALUES[PART].ravel().tolist()
    line = "/ogcapi/collections/ocean/trajectory?coords=LINESTRING(0 10,40 10)&f=csv"
    assert len(good(client, f"{line}&datetime=2020-01-01").text.splitlines()) > 8
    area = "/ogcapi/collections/ocean/area?coords=POLYGON((0 0,9 0,9 9,0 0))&f=csv&method=mean"
    refused = client.get(area)
    assert refused.status_code == 400
    assert "positions of their own" in refused.text


def test_a_geotiff_needs_equal_cells(client):
    url = f'{WCS}GetCoverage&COVERAGEID=ocean&FORMAT=image/tiff&SUBSET=ansi("2020-01-01"){BOX}'
    refused = client.get(url)
    assert refused.status_code == 400
    assert "an output CRS or a size" in refused.text
    crs = "&OUTPUTCRS=http://www.opengis.net/def/crs/EPSG/0/3995"
    for more in (crs, "&SCALESIZE=Long(40),Lat(30)", "&SCALEFACTOR=2", "&SCALEAXES=Long(4),Lat(3)"):
        content = good(client, url + more).content
        with MemoryFile(content) as memory, memory.open() as file:
            x, y = file.xy(*np.indices(file.shape).reshape(2, -1))
            own = Crs.parse(f"EPSG:{file.crs.to_epsg()}")
            lon, lat = transform(np.asarray(x), np.asarray(y), own, CRS84)
            same = file.read(1).ravel() == VALUES.ravel()[nearest(lon, lat)]
            assert same.mean() > (0.99 if more == crs else 0.9999), more


def test_a_map_and_a_click(client):
    wms = "/wms?SERVICE=WMS&VERSION=1.3.0&LAYERS=ocean&STYLES=&CRS=CRS:84&FORMAT=image/png"
    place = "&BBOX=-180,-80,180,90&WIDTH=180&HEIGHT=85&TRANSPARENT=TRUE"
    picture = good(client, f"{wms}&REQUEST=GetMap{place}").content
    assert (np.asarray(Image.open(BytesIO(picture)).convert("RGBA"))[..., 3] == 255).all()
    click = "&QUERY_LAYERS=ocean&INFO_FORMAT=application/json&I=90&J=20&TIME=2020-01-01"
    found = json.loads(good(client, f"{wms}&REQUEST=GetFeatureInfo{place}{click}").text)
    best = nearest(1.0, 49.0)[0]
    assert found["features"][0]["properties"]["value"] == VALUES.ravel()[best]
    lon, lat = found["features"][0]["geometry"]["coordinates"]
    assert (lon, lat) == pytest.approx((GRID.x.ravel()[best], GRID.y.ravel()[best]))


@pytest.mark.parametrize("service", ["WMS", "WMTS", "WCS"])
def test_capabilities_list_it(client, service):
    text = good(client, f"/{service.lower()}?SERVICE={service}&REQUEST=GetCapabilities").text
    assert "ocean" in text


@pytest.mark.xsd
@pytest.mark.parametrize("coverage", ["ocean", "plane", "wide"])
def test_the_description_is_schema_valid(client, xsd_validator, coverage):
    document = good(client, f"{WCS}DescribeCoverage&COVERAGEID={coverage}").content
    assert xsd_validator(document) == []


def test_the_description_names_every_position(client):
    names = {"gml": "http://www.opengis.net/gml/3.2", "r": "http://www.opengis.net/gml/3.3/rgrid"}
    found = etree.fromstring(good(client, f"{WCS}DescribeCoverage&COVERAGEID=plane").content)
    assert found.findtext(".//gml:axisLabels", namespaces=names) == "i j"
    assert found.findtext(".//gml:high", namespaces=names) == "73 60"
    axes = found.findall(".//r:GeneralGridAxis", names)
    assert [one.findtext("r:gridAxesSpanned", namespaces=names) for one in axes] == ["i j"] * 2
    x, y = (
        np.array(one.findtext("r:coefficients", namespaces=names).split(), float) for one in axes
    )
    np.testing.assert_array_equal(x, GRID.x.ravel())
    np.testing.assert_array_equal(y, GRID.y.ravel())
    assert [one.findtext("r:offsetVector", namespaces=names) for one in axes] == ["0 1", "1 0"]
    large = etree.fromstring(good(client, f"{WCS}DescribeCoverage&COVERAGEID=wide").content)
    axis = large.find(".//r:generalGridAxis", names)
    link = axis.get("{http://www.w3.org/1999/xlink}href")
    assert not len(axis)
    with xr.open_dataset(BytesIO(good(client, f"/wcs{link}").content), engine="h5netcdf") as file:
        np.testing.assert_array_equal(file["lon"], tripolar(360, 60, 40).x)


def test_zarr_over_http_has_the_positions(client):
    document = json.loads(good(client, "/zarr/ocean/zarr.json").text)
    assert {"lon", "lat", "v"} <= set(document["consolidated_metadata"]["metadata"])
    assert good(client, "/zarr/ocean/lon/c/0/0").content
