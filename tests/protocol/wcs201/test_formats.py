"""Every format by its name, layouts of GeoTIFF, raw and physical values, sizes beforehand."""

from io import BytesIO

import netCDF4
import numpy as np
import pytest
import xarray as xr
from rasterio.io import MemoryFile

from tests.protocol.wcs201.service import body_of, closed

AIR = "CoverageId=air&SUBSET=ansi(2020-01-02)"
GRID = closed(1, *np.meshgrid(range(10), range(20), indexing="ij"))


def tiff(response):
    with MemoryFile(body_of(response)) as memory, memory.open() as file:
        return file.read(), file.profile


@pytest.mark.parametrize(
    ("name", "media_type", "extension"),
    [
        ("cog", "image/vnd.cog", "tif"),
        ("image/vnd.cog", "image/vnd.cog", "tif"),
        ("netcdf3", "application/x-netcdf3", "nc"),
        ("zarr", "application/vnd.zarr%2Bzip", "zarr.zip"),
        ("application/x-netcdf", "application/netcdf", "nc"),
        ("image/geotiff", "image/tiff", "tif"),
    ],
)
def test_names(service, name, media_type, extension):
    response = service.get(f"{AIR}&FORMAT={name}")
    assert response.media_type == media_type.replace("%2B", "+")
    assert response.header("Content-Disposition").endswith(f'.{extension}"')
    assert "air_ansi-20200102" in response.header("Content-Disposition")


def test_a_cog_has_the_values_of_the_plain_file(service):
    values, profile = tiff(service.get(f"{AIR}&FORMAT=cog"))
    np.testing.assert_array_equal(values[0], GRID)
    assert profile["tiled"]


def test_netcdf_3_of_more_dimensions(service, tmp_path):
    path = tmp_path / "ocean.nc"
    path.write_bytes(body_of(service.get("CoverageId=ocean&FORMAT=netcdf3")))
    with netCDF4.Dataset(path) as file:
        assert file["u"].shape == (2, 3, 10, 20)
        assert file["u"][1, 2, 3, 4] == 1000 + 200_000 + 34


def test_layouts(service):
    query = f"{AIR}&FORMAT=image/tiff"
    values, profile = tiff(
        service.get(
            f"{query}&geotiff:compression=LZW&geotiff:predictor=Horizontal&geotiff:tiling=true"
            "&geotiff:tilewidth=32&geotiff:tileheight=16"
        )
    )
    np.testing.assert_array_equal(values[0], GRID)
    assert profile["compress"] == "lzw"
    assert (profile["blockxsize"], profile["blockysize"]) == (32, 16)
    bands = "CoverageId=bands&FORMAT=image/tiff"
    assert tiff(service.get(f"{bands}&geotiff:interleave=Pixel"))[1]["interleave"] == "pixel"
    assert not tiff(service.get(f"{query}&compression=deflate&tiling=false"))[1]["tiled"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("geotiff:compression=CCITT", "CompressionNotSupported"),
        ("geotiff:predictor=Horizontal", "PredictorNotSupported"),
        (
            "geotiff:compression=LZW&geotiff:predictor=none&geotiff:interleave=x",
            "InterleavingNotSupported",
        ),
        ("geotiff:compression=LZW&geotiff:predictor=sideways", "PredictorNotSupported"),
        ("geotiff:tilewidth=100", "TilingInvalid"),
        ("geotiff:tilewidth=99999", "TilingInvalid"),
        ("geotiff:compression=deflate&geotiff:predictor=FloatingPoint", "InvalidParameterValue"),
        ("values=guessed", "InvalidParameterValue"),
    ],
)
def test_layouts_that_are_refused(service, query, code):
    assert service.refused(f"{AIR}&FORMAT=image/tiff&{query}")[1] == code


def test_physical_values_in_a_geotiff(service):
    values, profile = tiff(service.get(f"{AIR}&FORMAT=image/tiff&VALUES=physical"))
    assert profile["dtype"].startswith("float")
    np.testing.assert_allclose(values[0], GRID * 0.01 + 273.15, rtol=1e-6)


def test_physical_values_in_netcdf(service):
    content = body_of(service.get(f"{AIR}&FORMAT=netcdf&VALUES=physical"))
    with xr.open_dataset(BytesIO(content), engine="h5netcdf", mask_and_scale=False) as found:
        assert "scale_factor" not in found["t2m"].attrs
        assert found["t2m"].attrs["units"] == "K"
        np.testing.assert_allclose(found["t2m"].values.squeeze(), GRID * 0.01 + 273.15, rtol=1e-6)


def test_raw_values_as_text(service):
    lines = body_of(service.get(f"{AIR}&FORMAT=csv&VALUES=raw")).decode().splitlines()
    assert [float(line.rsplit(",", 1)[1]) for line in lines[1:4]] == [1000, 1001, 1002]


def test_the_description_beside_the_file_is_of_its_values(service):
    query = f"{AIR}&FORMAT=image/tiff&MEDIATYPE=multipart/related"
    raw, physical = (body_of(service.get(f"{query}&VALUES={how}")) for how in ("raw", "physical"))
    assert b'code="1"' in raw
    assert b'code="K"' in physical
    assert b"stored *" not in physical


@pytest.mark.parametrize("name", ["csv", "json", "covjson", "gml"])
def test_a_small_text_is_sent_as_one(service, name):
    assert isinstance(service.get(f"{AIR}&FORMAT={name}").body, bytes)
