"""Sources to ingest: a year of a daily cube, a whole scene of four bands, a month of hourly GRIB.

Each is written once under ``.bench/ingest``; the values are those of :mod:`bench.scenes`.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from bench import scenes
from bench.scale import HOME

FOLDER = HOME / "ingest"


@dataclass(frozen=True, slots=True)
class Case:
    """A source and what it holds.

    Parameters
    ----------
    name : str
    words : str, for the table
    file : str, name under ``.bench/ingest``
    shape : (slices, fields, height, width)
    dtype : str, of the stored values
    make : function that writes the file
    nil : number that stands for no data; None where that is NaN
    """

    name: str
    words: str
    file: str
    shape: tuple[int, int, int, int]
    dtype: str
    make: Callable[[Path], None]
    nil: int | None = None

    @property
    def path(self) -> Path:
        return FOLDER / self.file

    @property
    def bytes(self) -> int:
        """Of the raw samples."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


def make_year(path: Path) -> None:
    """Daily sea surface temperature of a quarter of a degree, packed, chunks of a day."""
    days, _, height, width = YEAR.shape
    mask = scenes.land(height, width)
    with netCDF4.Dataset(path, "w") as file:
        axes = (
            ("lat", 90 - (np.arange(height) + 0.5) * 180 / height, "degrees_north"),
            ("lon", (np.arange(width) + 0.5) * 360 / width - 180, "degrees_east"),
        )
        file.createDimension("time", days)
        for name, values, units in axes:
            file.createDimension(name, len(values))
            one = file.createVariable(name, "f8", (name,))
            one.units = units
            one[:] = values
        time = file.createVariable("time", "f8", ("time",))
        time.units = "days since 2018-01-01"
        time[:] = np.arange(days)
        sst = file.createVariable(
            "sst",
            "i2",
            ("time", "lat", "lon"),
            fill_value=scenes.SST_NIL,
            chunksizes=(1, height, width),
            zlib=True,
            complevel=1,
            shuffle=True,
        )
        sst.set_auto_maskandscale(False)
        sst.units, sst.scale_factor, sst.add_offset = "degC", scenes.SST_SCALE, 0.0
        for day in range(days):
            sst[day] = scenes.sst_day(day, height, width, mask)


def make_scene(path: Path) -> None:
    """Four bands of 10 m in a tiled, deflated GeoTIFF."""
    side = SCENE.shape[2]
    bands = scenes.s2_date(0, side)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(bands),
        height=side,
        width=side,
        dtype=SCENE.dtype,
        nodata=scenes.S2_NIL,
        crs="EPSG:32632",
        transform=from_origin(600_000, 5_700_000, 10, 10),
        tiled=True,
        blockxsize=512,
        blockysize=512,
        interleave="band",
        compress="deflate",
        predictor=2,
        zlevel=1,
        num_threads=2,
    ) as file:
        for number, (name, values) in enumerate(bands.items(), 1):
            file.write(values, number)
            file.set_band_description(number, name)


def make_grib(path: Path) -> None:
    """Hourly temperature of half a degree; by a process of its own, as ecCodes wants it."""
    subprocess.run([sys.executable, "-m", "bench.ingest_grib", str(path)], check=True)


def make(case: Case) -> None:
    """Write the source, where it is absent."""
    if case.path.exists():
        return
    print(f"  {case.path}", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    beside = case.path.with_name(f"new-{case.file}")
    case.make(beside)
    beside.replace(case.path)


YEAR = Case(
    "year",
    "a year of a daily cube, 720 x 1440 int16, one NetCDF-4 file",
    "sst.nc",
    (365, 1, 720, 1440),
    "int16",
    make_year,
    scenes.SST_NIL,
)
SCENE = Case(
    "scene",
    "a Sentinel-2 scene, 4 bands of 10980 x 10980 uint16, one GeoTIFF",
    "scene_20240601.tif",
    (1, 4, 10980, 10980),
    "uint16",
    make_scene,
    scenes.S2_NIL,
)
GRIB = Case(
    "grib",
    "744 hourly steps, 361 x 720 float32, one GRIB 2 file",
    "hourly.grib",
    (744, 1, 361, 720),
    "float32",
    make_grib,
)
CASES = (YEAR, SCENE, GRIB)


def slices_of(case: Case) -> list[dict[str, NDArray[np.generic]]]:
    """Every array of a source in memory: a plane of each field for each slice."""
    match case.name:
        case "year":
            with netCDF4.Dataset(case.path) as file:
                file.set_auto_maskandscale(False)
                values = file.variables["sst"]
                return [{"sst": values[day]} for day in range(case.shape[0])]
        case "scene":
            with rasterio.open(case.path) as file:
                return [{name: file.read(band) for band, name in enumerate(scenes.BANDS, 1)}]
        case _:
            return [{"t2m": plane} for plane in grib_planes(case.path)]


def grib_planes(path: Path) -> list[NDArray[np.float32]]:
    """Fields of a GRIB file in its order; ecCodes must not meet PROJ in the process."""
    import eccodes  # noqa: PLC0415  only where it is needed

    found = []
    with path.open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            rows = eccodes.codes_get(handle, "Nj")
            values = eccodes.codes_get_values(handle)
            found.append(values.reshape(rows, -1).astype(np.float32))
            eccodes.codes_release(handle)
    return found
