"""Sentinel-5P and Sentinel-3 level 2: swaths whose pixels have longitudes and latitudes.

A Sentinel-5P file (the variables of its group PRODUCT), a Sentinel-3 folder (``.SEN3``, the
variables beside its geodetic coordinates) or an OLCI or SLSTR product in one file. The granule is
brought to a map grid: that of the recipe, or longitude and latitude with cells as large as the
pixels; a cell takes the pixel whose footprint holds its centre. Its instant is the start of
sensing.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidTime, SourceError
from datacube.ingest.identity import content_id
from datacube.ingest.readers.cf import attributes_of
from datacube.ingest.readers.hdftree import check_tree
from datacube.ingest.readers.netcdf import NetcdfBand
from datacube.ingest.readers.parts import Origin, Part, granules_of, opening
from datacube.ingest.regrid import map_grid
from datacube.ingest.source import Granule, ReadOptions, SliceSource, instant, magic
from datacube.model.crs import CRS84
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.model.naming import instant_in
from datacube.model.time import Timestamp
from datacube.store.cffield import field_of, missing_of

_HDF5 = b"\x89HDF\r\n\x1a\n"
_GEODETIC = ("geo_coordinates.nc", "geodetic_in.nc", "geodetic_an.nc", "geodetic_fn.nc")
_SENSORS = ("OLCI", "SLSTR", "OL_2_", "SL_2_", "OL_1_", "SL_1_")
_STARTS = ("time_coverage_start", "start_time", "start_date")
_POSITIONS = {"longitude": ("longitude", "lon"), "latitude": ("latitude", "lat")}


@dataclass(frozen=True, slots=True)
class SwathReader:
    """Reader of Sentinel-3 and Sentinel-5P swaths."""

    name: str = "swath"

    def sniff(self, path: Path) -> bool:
        """Whether a folder has geodetic coordinates, or a file says that it is a swath."""
        if path.is_dir():
            return any((path / one).is_file() for one in _GEODETIC)
        if not magic(path).startswith(_HDF5):
            return False
        try:
            with h5py.File(path, "r") as file:
                check_tree(file)
            with netCDF4.Dataset(path) as file:
                kind = f"{getattr(file, 'product_type', '')} {getattr(file, 'product_name', '')}"
                return "PRODUCT" in file.groups or any(one in kind for one in _SENSORS)
        except (OSError, RuntimeError, ValueError):
            return False

    def open(self, path: Path, options: ReadOptions) -> AbstractContextManager[tuple[Granule, ...]]:
        """The swath as one granule; see :class:`~datacube.ingest.source.SourceReader`."""
        return opening(path, lambda stack: _granules(path, options, stack))


@dataclass(frozen=True, eq=False)
class _Swath:
    """Open groups of variables, the first with the positions, and what the product says."""

    groups: tuple[Any, ...]
    said: Mapping[str, str]


def _granules(path: Path, options: ReadOptions, stack: ExitStack) -> tuple[Granule, ...]:
    swath = _opened(path, stack)
    positions, dimensions = _positions(swath)
    fields: list[Field] = []
    bands: dict[str, NetcdfBand] = {}
    for variable in _variables(swath, dimensions):
        attributes = attributes_of(variable)
        missing = missing_of(variable.dtype, attributes)
        field = field_of(variable.name, missing, attributes)
        if field.name in bands:
            continue
        fixed = {name: 0 for name in variable.dimensions if name not in dimensions}
        bands[field.name] = NetcdfBand(variable, missing, fixed, (), *dimensions, path)
        fields.append(field)
    if not fields:
        raise SourceError("the product has positions but no variable on them")
    given = instant(options, 1, "standard", path)
    start = _start(swath, path) if given is None else given
    said = swath.said
    version = said.get("processor_version") or said.get("processing_baseline") or ""
    origin = Origin(
        path,
        said.get("id") or (path.name if path.is_dir() else content_id(path)),
        title=said.get("title", "").strip(),
        abstract=said.get("summary", "").strip(),
        attribution="Contains modified Copernicus Sentinel data",
        licence=said.get("license", ""),
        processor=version.strip(),
    )
    one = SliceSource(start, bands)
    grid = map_grid(positions)
    return granules_of(
        [Part(grid, (), (one,), tuple(fields), "", positions=positions)], origin, options
    )


def _opened(path: Path, stack: ExitStack) -> _Swath:
    if path.is_file():
        file = _dataset(path, stack)
        product = file.groups.get("PRODUCT", file)
        return _Swath((product,), _texts(file))
    geodetic = next(path / one for one in _GEODETIC if (path / one).is_file())
    others = sorted(one for one in path.glob("*.nc") if one != geodetic)
    files = [_dataset(one, stack) for one in (geodetic, *others)]
    return _Swath(tuple(files), _texts(files[0]))


def _dataset(path: Path, stack: ExitStack) -> netCDF4.Dataset:
    file = stack.enter_context(netCDF4.Dataset(path, "r"))
    file.set_auto_maskandscale(False)
    file.set_auto_chartostring(False)
    return file


def _texts(file: netCDF4.Dataset) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in attributes_of(file).items()}


def _positions(swath: _Swath) -> tuple[ReferenceableGrid, tuple[str, str]]:
    """Positions of the pixels and the names of their rows and columns.

    Raises
    ------
    SourceError
        There are none; the message says whether there is anything at all.
    """
    group = swath.groups[0]
    chosen = []
    for kind, names in _POSITIONS.items():
        one = next((v for name, v in group.variables.items() if _is(name, v, kind, names)), None)
        if one is None:
            words = "metadata only, no variable" if not group.variables else f"no {kind}s of pixels"
            raise SourceError(f"the product holds {words}; there is nothing to put on a map")
        chosen.append(one)
    rows, columns = chosen[0].dimensions[-2:]
    lon, lat = (_degrees(one) for one in chosen)
    return ReferenceableGrid(CRS84, lon, lat), (rows, columns)


def _degrees(variable: Any) -> NDArray[np.float64]:
    """Longitudes or latitudes, NaN where there are none."""
    attributes = attributes_of(variable)
    values = np.asarray(variable[...], np.float64).reshape(variable.shape[-2:])
    values = values * float(attributes.get("scale_factor", 1.0))
    values = values + float(attributes.get("add_offset", 0.0))
    return np.where(np.abs(values) > 360.0, np.nan, values)


def _is(name: str, variable: Any, kind: str, names: tuple[str, ...]) -> bool:
    planar = variable.ndim >= 2 and all(size == 1 for size in variable.shape[:-2])
    plain = name.lower().rpartition("_")[0] if name.lower().endswith(("_in", "_an")) else name
    named = plain.lower() in names or getattr(variable, "standard_name", "") == kind
    return bool(planar and named and "corner" not in variable.dimensions)


def _variables(swath: _Swath, dimensions: tuple[str, str]) -> Iterator[Any]:
    """Numbers on the pixels, without axes of their own."""
    shape = tuple(
        next(g.dimensions[name].size for g in swath.groups if name in g.dimensions)
        for name in dimensions
    )
    positions = {name for names in _POSITIONS.values() for name in names}
    for group in swath.groups:
        for name, one in group.variables.items():
            numeric = isinstance(one.dtype, np.dtype) and one.dtype.kind in "iuf"
            placed = one.dimensions[-2:] == dimensions and one.shape[-2:] == shape
            single = all(size == 1 for size in one.shape[:-2])
            if numeric and placed and single and name.lower() not in positions:
                yield one


def _start(swath: _Swath, path: Path) -> int:
    text = next((swath.said[name] for name in _STARTS if swath.said.get(name)), "")
    for spelled in (text, _iso(text), instant_in(path.name) or ""):
        try:
            return Timestamp.parse(spelled).ticks("standard")
        except InvalidTime:
            continue
    raise SourceError(f"the product does not say when its sensing began ({text or 'nothing'})")


def _iso(text: str) -> str:
    """``14-APR-2017 10:27:29.454657`` as ISO 8601."""
    try:
        found = datetime.strptime(text, "%d-%b-%Y %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return ""
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")
