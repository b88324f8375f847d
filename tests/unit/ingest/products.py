"""Small products with values that can be computed by hand, and cubes read back whole."""

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from datacube.store.cube import CubeStore, open_cube
from datacube.store.url import open_store


def opened(store: Path | str, cube_id: str) -> CubeStore:
    return open_cube(open_store(str(store)), cube_id)


def whole(cube: CubeStore, field: str, time: int = 0) -> NDArray[Any]:
    """Packed values (axes…, y, x) of one time at level 0."""
    shape = cube.description.domain.shape[1 if cube.timed else 0 :]
    values = np.empty(shape, np.dtype(cube.description.range_type.field(field).dtype))
    chunk = cube.chunk_shape(field, 0)[-2:]
    start = (time,) if cube.timed else ()
    for place in np.ndindex(*shape[:-2]):
        for row in range(-(-shape[-2] // chunk[0])):
            for column in range(-(-shape[-1] // chunk[1])):
                found = cube.chunk(field, 0, (*start, *place, row, column))
                found = found.reshape(found.shape[-2:])
                window = values[
                    (
                        *place,
                        slice(row * chunk[0], (row + 1) * chunk[0]),
                        slice(column * chunk[1], (column + 1) * chunk[1]),
                    )
                ]
                window[...] = found[: window.shape[0], : window.shape[1]]
    return values


def plane(height: int, width: int, t: int = 0) -> NDArray[np.int64]:
    """1000 t + 10 y + x."""
    y, x = np.mgrid[0:height, 0:width]
    return np.asarray(1000 * t + 10 * y + x)


def write_netcdf(
    path: Path,
    *,
    times: tuple[float, ...] = (0.0, 1.0),
    units: str = "days since 2020-01-01",
    calendar: str = "standard",
    lon: NDArray[Any] | None = None,
    lat: NDArray[Any] | None = None,
    dtype: str = "i2",
    fill: float | None = -1,
    scale: float | np.float32 | None = 0.5,
    offset: float = 100.0,
    field: str = "v",
    field_units: str = "K",
) -> Path:
    """A CF NetCDF file of plane(t) for each time, packed."""
    lon = np.arange(8, dtype="f4") * 0.25 if lon is None else lon
    lat = 50 - np.arange(5, dtype="f4") * 0.25 if lat is None else lat
    with netCDF4.Dataset(path, "w") as file:
        file.set_auto_maskandscale(False)
        for name, values, unit in (("lon", lon, "degrees_east"), ("lat", lat, "degrees_north")):
            file.createDimension(name, len(values))
            one = file.createVariable(name, values.dtype, (name,))
            one.units = unit
            one[:] = values
        file.createDimension("time", len(times))
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar = units, calendar
        time[:] = np.array(times)
        v = file.createVariable(field, dtype, ("time", "lat", "lon"), fill_value=fill)
        v.set_auto_maskandscale(False)
        v.units = field_units
        if scale is not None:
            v.scale_factor, v.add_offset = scale, offset
        for position in range(len(times)):
            v[position] = plane(len(lat), len(lon), position).astype(dtype)
    return path


def write_tiff(path: Path, values: NDArray[Any], **options: Any) -> Path:
    """A GeoTIFF of (band, y, x) values, 10 m cells from (500000, 4000000) in UTM 31N."""
    tags = options.pop("tags", {})
    profile = {
        "driver": "GTiff",
        "count": values.shape[0],
        "height": values.shape[1],
        "width": values.shape[2],
        "dtype": values.dtype.name,
        "crs": "EPSG:32631",
        "transform": from_origin(500000, 4000000, 10, 10),
        **options,
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
        file.update_tags(**tags)
    return path


def write_safe(
    folder: Path,
    bands: dict[str, tuple[int, NDArray[Any]]],
    *,
    day: str = "20200219",
    baseline: str = "02.14",
    boa_offset: int | None = None,
    absent: tuple[str, ...] = (),
) -> Path:
    """A Sentinel-2 L2A SAFE folder: bands are (nominal metres, values); the finest cell is 10 m."""
    product = f"S2A_MSIL2A_{day}T112111_N{baseline.replace('.', '')}_R037_T29RKH_{day}T123947"
    root = folder / f"{product}.SAFE"
    images = root / "GRANULE" / "L2A_T29RKH" / "IMG_DATA"
    names = []
    for band, (metres, values) in bands.items():
        target = images / f"R{metres}m" / f"T29RKH_{day}T112111_{band}_{metres}m.jp2"
        target.parent.mkdir(parents=True, exist_ok=True)
        names.append(str(target.relative_to(root).with_suffix("")))
        if band in absent:
            continue
        with rasterio.open(
            target,
            "w",
            driver="JP2OpenJPEG",
            count=1,
            height=values.shape[0],
            width=values.shape[1],
            dtype=values.dtype.name,
            crs="EPSG:32629",
            transform=from_origin(199980, 2800020, metres, metres),
            REVERSIBLE="YES",
            QUALITY="100",
        ) as file:
            file.write(values, 1)
    listed = "".join(f"<IMAGE_FILE>{name}</IMAGE_FILE>" for name in names)
    offsets = "".join(
        f'<BOA_ADD_OFFSET band_id="{number}">{boa_offset}</BOA_ADD_OFFSET>' for number in range(13)
    )
    (root / "MTD_MSIL2A.xml").write_text(
        f"""<?xml version="1.0"?><n1:Level-2A_User_Product xmlns:n1="urn:x">
        <PRODUCT_URI>{product}.SAFE</PRODUCT_URI><PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
        <DATATAKE_SENSING_START>{day[:4]}-{day[4:6]}-{day[6:]}T11:21:11.024Z</DATATAKE_SENSING_START>
        {listed}
        <Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
        <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
        {"" if boa_offset is None else offsets}
        </n1:Level-2A_User_Product>"""
    )
    return root
