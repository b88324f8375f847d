"""Real curvilinear and projected grids: every pixel of a map is the nearest of the file's cells."""

from io import BytesIO
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.engine.coverage import get_coverage
from datacube.engine.sample import get_samples
from datacube.formats.registry import encoders
from datacube.ingest.pipeline import ingest
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84
from datacube.model.grid import RectifiedGrid, ReferenceableGrid, on_sphere
from datacube.model.query import CoverageQuery, LayerRequest, SampleQuery, Trim
from datacube.slicing.warp import positions, to_cells

pytestmark = pytest.mark.data

NEMO = "ocean/nemo_1m_2015{}_grid-T.nc"
ROTATED = "grids/small_rotPole_precipitation.nc"
CORDEX = "grids/tas_EUR-22_MPI-M-MPI-ESM-LR_rcp85_r1i1p1_GERICS-REMO2015_v1_mon_202101.nc"
GOES = "grids/OR_ABI-L2-LSTM2-M6_G16_s20211381700538_e20211381700595_c20211381701211.nc"


@pytest.fixture(scope="module")
def context(test_data: Path, tmp_path_factory):
    url = str(tmp_path_factory.mktemp("grids"))
    months = [str(test_data / NEMO.format(one)) for one in ("0101-20150201", "0201-20150301")]
    for cube, paths in {
        "nemo": months,
        "rotated": [str(test_data / ROTATED)],
        "cordex": [str(test_data / CORDEX)],
        "goes": [str(test_data / GOES)],
    }.items():
        assert ingest(paths, store=url, cube=cube).exit_code == 0
    return open_context(url, Config())


def raw(path, name):
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        return np.asarray(file.variables[name][:])


def test_nemo_keeps_its_cells(context, test_data):
    cube = context.catalog.cube("nemo")
    grid, time = cube.description.domain.grid, cube.description.domain.time
    path = test_data / NEMO.format("0101-20150201")
    assert isinstance(grid, ReferenceableGrid)
    np.testing.assert_array_equal(grid.x.astype("f4"), raw(path, "nav_lon"))
    np.testing.assert_array_equal(grid.y.astype("f4"), raw(path, "nav_lat"))
    assert time is not None
    assert time.calendar == "360_day"
    assert time.iso == ("2015-01-16T00:00:00Z", "2015-02-16T00:00:00Z")
    block = get_coverage(context, CoverageQuery("nemo")).blocks["tos"]
    stored = raw(path, "tos")[0]
    np.testing.assert_array_equal(block.data[0][stored < 1e19], stored[stored < 1e19])
    np.testing.assert_array_equal(block.valid[0], stored < 1e19)


@pytest.mark.slow
def test_every_pixel_is_the_nearest_of_all_cells(context):
    cube = context.catalog.cube("nemo")
    grid = cube.description.domain.grid
    target = RectifiedGrid.from_bbox(BoundingBox(-180, -76, 180, 90, CRS84), 180, 83)
    cells = to_cells(positions(grid, target, inverses=cube.inverses), grid)
    lon, lat = np.meshgrid(target.x_centres(), target.y_centres())
    places = np.stack([one.ravel() for one in on_sphere(lon, lat)], axis=-1)
    centres = np.stack([one.ravel() for one in on_sphere(grid.x, grid.y)])
    chosen = (cells.rows * grid.width + cells.columns).ravel()
    for start in range(0, len(places), 500):
        part = slice(start, start + 500)
        closeness = places[part] @ centres
        mine = closeness[np.arange(len(closeness)), chosen[part]]
        assert (chosen[part] >= 0).all()
        assert (closeness.max(axis=1) - mine).max() < 1e-12


@pytest.mark.parametrize(
    ("cube", "path", "field"), [("rotated", ROTATED, "pr"), ("cordex", CORDEX, "tas")]
)
def test_a_rotated_pole_lies_where_the_file_says(context, test_data, cube, path, field):
    lon, lat = raw(test_data / path, "lon"), raw(test_data / path, "lat")
    last = raw(test_data / path, field)[-1]
    rng = np.random.default_rng(7)
    for _ in range(25):
        row, column = (int(rng.integers(0, size)) for size in lon.shape)
        place = float(lon[row, column]), float(lat[row, column])
        query = SampleQuery((LayerRequest(f"{cube}.{field}"),), *place, CRS84)
        found = get_samples(context, query).samples[0]
        assert found.value == pytest.approx(float(last[row, column]), rel=1e-6)
        assert found.distance is not None
        assert found.distance < 3000


def test_a_geostationary_grid_lies_where_its_box_is(context):
    box = context.catalog.cube("goes").description.domain.bbox.geographic()
    # geospatial_lat_lon_extent of the file
    assert box.edges == pytest.approx((-109.18, 27.06, -91.45, 39.91), abs=0.5)


def test_netcdf_of_nemo_opens_with_its_positions(context):
    trims = Trim("Lat", 60.0, 90.0), Trim("Long", -20.0, 30.0)
    coverage = get_coverage(context, CoverageQuery("nemo", trims))
    content = encoders().find("application/netcdf").encode(coverage)
    assert isinstance(content, bytes)
    with xr.open_dataset(BytesIO(content), engine="h5netcdf", decode_times=False) as found:
        assert {"lon", "lat"} <= set(found["tos"].coords)
        assert float(found["lat"].max()) > 85
