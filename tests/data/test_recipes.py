"""Every recipe that is shipped makes its cube of a product that it is for."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from datacube.config.load import load_recipe
from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import opened, plane, write_netcdf, write_safe, write_tiff
from tests.unit.ingest.test_calibration import write_grd

pytestmark = [pytest.mark.data, pytest.mark.slow]

RECIPES = Path(__file__).parents[2] / "config" / "recipes"
LON, LAT = np.meshgrid(10.2 + np.arange(6) * 0.1, 50.2 - np.arange(4) * 0.1)
BANDS = {
    **{band: (10, plane(12, 12).astype("u2") + 1) for band in ("B02", "B03", "B04", "B08")},
    **{band: (20, plane(6, 6).astype("u2") + 1) for band in ("B8A", "B11", "B12")},
    "SCL": (20, np.full((6, 6), 4, "u1")),
}


def level_1c(folder: Path) -> Path:
    root = write_safe(folder, BANDS)
    target = root.with_name(root.name.replace("MSIL2A", "MSIL1C"))
    shutil.move(root, target)
    text = (target / "MTD_MSIL2A.xml").read_text()
    for before, after in (("BOA_ADD", "RADIO_ADD"), ("L2A_User", "L1C_User"), ("MSIL2A", "MSIL1C")):
        text = text.replace(before, after)
    (target / "MTD_MSIL2A.xml").unlink()
    for band, (metres, _) in BANDS.items():
        text = text.replace(f"{band}_{metres}m</IMAGE", f"{band}</IMAGE")
        (image,) = target.rglob(f"*_{band}_{metres}m.jp2")
        image.rename(image.with_name(image.name.replace(f"_{metres}m.jp2", ".jp2")))
    (target / "MTD_MSIL1C.xml").write_text(text)
    return target


def lst(folder: Path) -> Path:
    """A folder of SLSTR: the second half of its columns is cloudy."""
    root = folder / "S3A_SL_2_LST____20200101T100000_20200101T100300_20200101T120000.SEN3"
    root.mkdir()
    variables = {
        "geodetic_in.nc": {"longitude_in": LON, "latitude_in": LAT},
        "LST_in.nc": {"LST": 280 + plane(4, 6).astype("f4")},
        "flags_in.nc": {"confidence_in": np.where(np.arange(6) < 3, 0, 1 << 14) + 0 * LON},
    }
    for name, found in variables.items():
        with netCDF4.Dataset(root / name, "w") as file:
            file.start_time, file.product_name = "2020-01-01T10:00:00Z", root.name
            file.createDimension("rows", 4)
            file.createDimension("columns", 6)
            for variable, values in found.items():
                dtype = "u2" if variable == "confidence_in" else "f4"
                file.createVariable(variable, dtype, ("rows", "columns"))[:] = values
    return root


def no2(folder: Path) -> Path:
    path = folder / "S5P_OFFL_L2__NO2____20200303T013547_20200303T031717_12367.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.time_coverage_start = "2020-03-03T01:57:04Z"
        group = file.createGroup("PRODUCT")
        where = ("time", "scanline", "ground_pixel")
        for name, size in zip(where, (1, 4, 6), strict=True):
            group.createDimension(name, size)
        column = "nitrogendioxide_tropospheric_column"
        for name, values in (("longitude", LON), ("latitude", LAT), (column, 1e-5 * plane(4, 6))):
            group.createVariable(name, "f4", where)[0] = values
        quality = group.createVariable("qa_value", "f4", where)
        quality[0] = np.where(np.arange(6) < 3, 0.9, 0.6)
    return path


def scenario(folder: Path) -> Path:
    return write_netcdf(folder / "A1B_north.nc", field="air_temperature")


def image(folder: Path) -> Path:
    return write_tiff(folder / "a_20200101.tif", plane(5, 6)[None].astype("u2"))


MADE: Mapping[str, Callable[[Path], Path]] = {
    "air-temperature": scenario,
    "geotiff": image,
    "s2-simulated": lambda folder: write_safe(folder, BANDS),
    "sentinel1-grd-sigma0": write_grd,
    "sentinel2-l1c": level_1c,
    "sentinel2-l2a": lambda folder: write_safe(folder, BANDS),
    "sentinel3-slstr-lst": lst,
    "sentinel5p-no2": no2,
}
KEPT = {
    "ecmwf-forecast": "atmosphere/pl_regular_ll.grib",
    "landsat-new-york": "timeseries/L8NY18/LC08_L1TP_013032_20180131_20180207_01_T1",
    "nemo-sst": "ocean/nemo_1m_20150101-20150201_grid-T.nc",
    "ostia-monthly": "atmosphere/air_temperature_small.nc",
    "sentinel1-grd": "sentinel1/S1A_IW_GRDH_1SDV_20180716T004042_FD5B/iw-vv.tiff",
    "sentinel3-olci-water": "sentinel3_5p/O_L2_0001_SNS_2017104102450_v1.0.nc",
    "sentinel5p-co": "sentinel3_5p/S5P_L2_CO_trimmed.nc",
    "stac-item": "sentinel2/cog_S2A_29RKH_20200219_0_L2A/S2A_29RKH_20200219_0_L2A.json",
}


@pytest.mark.parametrize("name", sorted(one.stem for one in RECIPES.glob("*.yaml")))
def test_the_recipe_makes_its_cube(name, test_data, tmp_path):
    source = MADE[name](tmp_path) if name in MADE else test_data / KEPT[name]
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    report = ingest([str(source)], store=str(tmp_path / "store"), recipe=recipe)
    (result,) = report.results
    assert result.status in {"ingested", "partial"}, result
    cube = opened(tmp_path / "store", result.cubes[0])
    if recipe.cube:
        assert cube.id == recipe.cube
    wanted = tuple(one.name or one.source for one in recipe.fields)
    assert not wanted or cube.description.range_type.names == wanted
    for field in cube.description.range_type.names:
        known = cube.statistics(field)
        assert known is not None, f"{field} has no valid cell"
        assert known.count > 0


@pytest.mark.parametrize(("name", "make"), [("sentinel3-slstr-lst", lst), ("sentinel5p-no2", no2)])
def test_what_the_mask_rejects_is_no_data(name, make, tmp_path):
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    ingest([str(make(tmp_path))], store=str(tmp_path / "store"), recipe=recipe)
    cube = opened(tmp_path / "store", recipe.cube or "")
    grid = cube.description.domain.rectified
    known = cube.statistics(cube.description.range_type.names[0])
    assert known is not None
    half = 3 * 4 * (0.1 / grid.dx) ** 2  # cells of three of the six columns
    assert known.count == pytest.approx(half, rel=0.3)
