"""CF NetCDF (classic and NetCDF-4): packed values as they lie, by windows.

Numbers are read without any decoding, most of them past the library
(:mod:`datacube.ingest.readers.hdfchunks`); time axes are decoded by :mod:`datacube.model.time`, so
that every calendar of CF is kept. The netCDF library is not thread-safe: one thread reads.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidTime, SourceError
from datacube.ingest.identity import content_id
from datacube.ingest.readers.cf import (
    attributes_of,
    coordinates_of,
    for_dimension,
    is_numeric,
    is_run,
    labels_of,
    mapping_of,
    plane_coordinate,
    position_names,
    positions_over,
    reference_of,
    reference_units,
    scalars_of,
)
from datacube.ingest.readers.cfcheck import mapping_agrees
from datacube.ingest.readers.cfreason import why_not_gridded
from datacube.ingest.readers.cftimes import is_absolute, ticks_of
from datacube.ingest.readers.hdfchunks import ChunkedVariable, HdfChunks
from datacube.ingest.readers.parts import Origin, Part, granules_of, reading
from datacube.ingest.readers.runs import RUN, by_run, with_steps
from datacube.ingest.source import Granule, ReadOptions, SliceSource, instant, magic
from datacube.model.axis import Axis, IndexAxis, is_vertical
from datacube.model.calendar import Calendar, calendar_named
from datacube.model.fields import Field
from datacube.model.forecast import lead_unit
from datacube.model.grid import Grid
from datacube.model.naming import identifier
from datacube.store.cf import Coordinate, axis_of, unpacked, words
from datacube.store.cffield import Missing, apart, field_of, missing_of
from datacube.store.cfgrid import crs_of, equidistant, grid_of, lines_grid, positions_grid
from datacube.store.icechunk.classic import missing_bytes

_HDF5 = b"\x89HDF\r\n\x1a\n"
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")


@dataclass(frozen=True, eq=False)
class NetcdfBand:
    """A variable at one instant.

    Parameters
    ----------
    variable : netCDF4.Variable, undecoded, or ChunkedVariable
    missing : Missing
    fixed : mapping of dimension to index
        Time and the dimensions without an axis.
    axes : tuple of dimension, in the order of the granule's further axes
    rows, columns : dimension
    path : Path
    """

    variable: Any
    missing: Missing
    fixed: Mapping[str, int]
    axes: tuple[str, ...]
    rows: str
    columns: str
    path: Path

    @property
    def parallel(self) -> bool:
        """See :func:`~datacube.ingest.source.is_parallel`."""
        one = self.variable
        return isinstance(one, ChunkedVariable) and one.parallel((*self.fixed, *self.axes))

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        places = {**self.fixed, **dict(zip(self.axes, index, strict=True))}
        windows = {self.rows: slice(row0, row1), self.columns: slice(column0, column1)}
        dimensions = self.variable.dimensions
        with reading(self.path):
            raw = self.variable[
                tuple(windows[name] if name in windows else places[name] for name in dimensions)
            ]
        if dimensions.index(self.rows) > dimensions.index(self.columns):
            raw = raw.T
        return self.missing.cleaned(np.asarray(raw))


@dataclass(frozen=True, slots=True)
class NetcdfReader:
    """Reader of CF NetCDF files."""

    name: str = "netcdf"

    def sniff(self, path: Path) -> bool:
        """Whether the file is NetCDF classic or HDF5, by its first bytes."""
        start = magic(path)
        return start.startswith(_HDF5) or start[:4] in _CLASSIC

    @contextmanager
    def open(self, path: Path, options: ReadOptions) -> Iterator[tuple[Granule, ...]]:
        """Granules of the file; see :class:`~datacube.ingest.source.SourceReader`."""
        with ExitStack() as opened:
            with reading(path):
                hdf = magic(path).startswith(_HDF5)
                chunks = opened.enter_context(HdfChunks(path)) if hdf else None
                if not hdf:
                    _check_length(path)
                file = opened.enter_context(netCDF4.Dataset(path, "r"))
                file.set_auto_maskandscale(False)
                file.set_auto_chartostring(False)
                granules = _Opened(path, file, chunks, coordinates_of(file), options).granules()
            yield granules


@dataclass(frozen=True, eq=False)
class _Layout:
    """Roles of a variable's dimensions."""

    x: str
    y: str
    time: str | None
    axes: tuple[str, ...]
    dropped: tuple[str, ...]
    positions: tuple[str, str] | None = None

    @property
    def key(self) -> tuple[object, ...]:
        return self.x, self.y, self.time, self.axes, self.positions


@dataclass(frozen=True, eq=False)
class _Opened:
    path: Path
    file: netCDF4.Dataset
    chunks: HdfChunks | None
    coordinates: Mapping[str, Coordinate]
    options: ReadOptions

    def granules(self) -> tuple[Granule, ...]:
        groups: dict[tuple[object, ...], list[tuple[Any, _Layout]]] = {}
        for variable in self._candidates():
            layout = self._layout(variable)
            if layout is not None:
                key = (*layout.key, str(getattr(variable, "grid_mapping", "")))
                groups.setdefault(key, []).append((variable, layout))
        if not groups:
            raise SourceError(why_not_gridded(self.file, self.coordinates))
        parts = [self._part(members) for members in groups.values()]
        return granules_of(parts, self._origin(), self.options)

    def _candidates(self) -> Iterator[Any]:
        """Variables that can be fields: numbers on a plane, and no helper of another one."""
        helpers = set(self.coordinates) | position_names(self.file)
        for variable in self.file.variables.values():
            for name in ("coordinates", "ancillary_variables", "cell_measures", "grid_mapping"):
                helpers.update(words(getattr(variable, name, "")))
            for name in ("bounds", "climatology"):
                helpers.update(words(getattr(variable, name, "")))
        for name, variable in self.file.variables.items():
            numeric = is_numeric(variable)
            planes = variable.ndim >= 2 and 0 not in variable.shape
            if numeric and planes and name not in helpers:
                yield variable

    def _layout(self, variable: Any) -> _Layout | None:
        """Roles of the dimensions, or None where the variable does not lie on a known grid."""
        found: dict[str, str] = {}
        for dimension in variable.dimensions:
            coordinate = for_dimension(dimension, self.coordinates, self.file)
            role = "other" if coordinate is None else coordinate.role
            slot = {"lon": "x", "lat": "y", "rlon": "x", "rlat": "y"}.get(role, role)
            if slot in {"x", "y", "time"}:
                found.setdefault(slot, dimension)
        runs = [name for name in variable.dimensions if is_run(self._maybe(name))]
        if "time" not in found and runs:
            found["time"] = runs[0]
        plane = {"x", "y"} <= found.keys() and self._plane(variable, found["x"], found["y"])
        positions = None if plane else positions_over(variable, self.file)
        if positions is not None:
            found["y"], found["x"] = self.file.variables[positions[0]].dimensions[-2:]
        elif not plane:
            return None
        others = [name for name in variable.dimensions if name not in found.values()]
        kept = tuple(name for name in others if self._kept(name))
        dropped = tuple(name for name in others if name not in kept)
        return _Layout(found["x"], found["y"], found.get("time"), kept, dropped, positions)

    def _plane(self, variable: Any, x: str, y: str) -> bool:
        """Whether both axes are degrees, or both a projection's with a CRS to go with them."""
        roles = {self._along(name).role for name in (x, y)}
        if roles == {"lon", "lat"}:
            return True
        if roles == {"rlon", "rlat"}:
            return mapping_agrees(variable, self.file, self._along(x), self._along(y))
        curvilinear = any(
            one.ndim == 2 and getattr(one, "standard_name", "") in {"longitude", "latitude"}
            for one in self.file.variables.values()
        )
        mapped = any("grid_mapping_name" in one.ncattrs() for one in self.file.variables.values())
        return mapped or not curvilinear

    def _along(self, dimension: str) -> Coordinate:
        found = for_dimension(dimension, self.coordinates, self.file)
        if found is None:
            raise SourceError(f"the dimension '{dimension}' has no coordinates")
        return found

    def _maybe(self, dimension: str) -> Coordinate | None:
        return for_dimension(dimension, self.coordinates, self.file)

    def _kept(self, dimension: str) -> bool:
        """Whether a further dimension is an axis: longer than one, vertical, or lead times."""
        coordinate = self._maybe(dimension)
        if coordinate is None or len(self.file.dimensions[dimension]) > 1:
            return len(self.file.dimensions[dimension]) > 1
        axis = axis_of(dimension, 1, coordinate)
        return is_vertical(axis) or lead_unit(axis) is not None

    def _axis(self, dimension: str) -> Axis:
        size = len(self.file.dimensions[dimension])
        coordinate = for_dimension(dimension, self.coordinates, self.file)
        labels = () if coordinate is not None else labels_of(dimension, self.file)
        if labels and len(set(labels)) == size:
            return IndexAxis(identifier(dimension, "_"), size, title=dimension, labels=labels)
        return axis_of(dimension, size, coordinate)

    def _part(self, members: list[tuple[Any, _Layout]]) -> Part:
        first, layout = members[0]
        ticks, calendar, bounds = self._times(first, layout)
        fields: list[Field] = []
        slices: list[dict[str, NetcdfBand]] = [{} for _ in ticks]
        for variable, own in members:
            attributes = attributes_of(variable)
            missing = missing_of(variable.dtype, attributes)
            field = apart(field_of(variable.name, missing, attributes), fields)
            fields.append(field)
            source = variable if self.chunks is None else self.chunks.variable(variable)
            for position, bands in enumerate(slices):
                bands[field.name] = self._band(source, missing, own, position)
        runs = self._runs(first, layout, calendar, len(ticks))
        whole = tuple(
            SliceSource(tick, bands, run)
            for tick, bands, run in zip(ticks, slices, runs, strict=True)
        )
        axes = tuple(self._axis(name) for name in layout.axes)
        part = Part(
            self._grid(first, layout),
            axes,
            whole,
            tuple(fields),
            f"{layout.y}-{layout.x}",
            calendar,
            bounds,
        )
        return self._forecast(part)

    def _forecast(self, part: Part) -> Part:
        """The part with its run and steps as axes, where it has them or they are wanted."""
        axes = with_steps(part.axes) if part.timed else None
        if axes is not None:
            return replace(part, axes=axes, bounds=None, time_name=RUN)
        ticks = [one.ticks for one in part.slices]
        known = all(one.reference_ticks is not None for one in part.slices)
        wanted = self.options.forecast or self.options.run is not None
        if not part.timed or not (wanted or (known and len(set(ticks)) < len(ticks))):
            return part
        slices, steps = by_run(part.slices, part.fields)
        return replace(part, slices=slices, axes=(steps, *part.axes), bounds=None, time_name=RUN)

    def _runs(
        self, variable: Any, layout: _Layout, calendar: Calendar, count: int
    ) -> list[int] | list[None]:
        """Start of the run of each slice; None where it is not said."""
        given = self.options.run_ticks(calendar)
        if given is not None:
            return [given] * count
        said = reference_of(variable, layout.time, self.file)
        if said is None:
            return [None] * count
        ticks = self._ticks(said, calendar)
        return ticks * count if len(ticks) == 1 else ticks

    def _grid(self, variable: Any, layout: _Layout) -> Grid:
        if layout.positions is not None:
            return positions_grid(*(plane_coordinate(name, self.file) for name in layout.positions))
        x, y = self._along(layout.x), self._along(layout.y)
        mapping, given = mapping_of(variable, self.file), self.options.crs
        geographic = {x.role, y.role} == {"lon", "lat"}
        crs = crs_of(mapping, geographic=geographic, given=given)
        if not equidistant(x, y, crs):
            return lines_grid(x, y, crs)
        return grid_of(x, y, crs, mapping)

    def _band(self, variable: Any, missing: Missing, layout: _Layout, position: int) -> NetcdfBand:
        fixed = dict.fromkeys(layout.dropped, 0)
        if layout.time is not None:
            fixed[layout.time] = position
        return NetcdfBand(variable, missing, fixed, layout.axes, layout.y, layout.x, self.path)

    def _times(
        self, variable: Any, layout: _Layout
    ) -> tuple[list[int | None], Calendar, NDArray[np.int64] | None]:
        """Ticks of a variable's slices, their calendar and bounds."""
        coordinate = self._time_coordinate(variable, layout)
        count = 1 if layout.time is None else len(self.file.dimensions[layout.time])
        calendar = _calendar(coordinate)
        given = instant(self.options, count, calendar, self.path)
        if given is not None:
            return [given], calendar, None
        if coordinate is None:
            return [None], calendar, None
        return [*self._ticks(coordinate, calendar)], calendar, self._bounds(coordinate, calendar)

    def _time_coordinate(self, variable: Any, layout: _Layout) -> Coordinate | None:
        if layout.time is not None:
            return self._along(layout.time)
        scalars = {
            name: one
            for name, one in self.coordinates.items()
            if one.role == "time" and self.file.variables[name].ndim == 0
        }
        named = [name for name in words(getattr(variable, "coordinates", "")) if name in scalars]
        chosen = named or sorted(scalars)
        if chosen:
            return scalars[chosen[0]]
        return reference_of(variable, None, self.file)

    def _ticks(self, coordinate: Coordinate, calendar: Calendar) -> list[int]:
        units = reference_units(coordinate)
        if " since " not in units and not is_absolute(units):
            raise SourceError(
                f"the time axis '{coordinate.name}' has the units '{coordinate.units}', which "
                "name no reference time; for a single instant one can be given (--time)"
            )
        filled = missing_of(coordinate.stored, coordinate.attributes)
        gone = np.zeros(coordinate.raw.shape, bool)
        for value in (*filled.also, *(() if filled.nil is None else (filled.nil,))):
            gone |= coordinate.raw == value
        if gone.any() or not np.isfinite(coordinate.values).all():
            raise SourceError(f"the time axis '{coordinate.name}' has missing values")
        values = unpacked(coordinate.raw, coordinate.attributes)
        return [int(tick) for tick in ticks_of(values, units, calendar)]

    def _bounds(self, coordinate: Coordinate, calendar: Calendar) -> NDArray[np.int64] | None:
        name = str(coordinate.attributes.get("bounds", ""))
        variable = self.file.variables.get(name)
        if variable is None or variable.shape[-1:] != (2,):
            return None
        said = {**coordinate.attributes, **attributes_of(variable)}
        raw = unpacked(np.asarray(variable[...]).reshape(-1, 2), said)
        units = str(getattr(variable, "units", coordinate.units))
        if len(raw) != len(coordinate.raw) or not np.isfinite(raw.astype(float)).all():
            return None
        return ticks_of(raw, units, calendar)

    def _origin(self) -> Origin:
        said = {name.lower(): str(value) for name, value in attributes_of(self.file).items()}
        return Origin(
            self.path,
            content_id(self.path),
            title=said.get("title", "").strip(),
            abstract=(said.get("summary") or said.get("comment") or "").strip(),
            attribution=(said.get("credit") or said.get("institution") or "").strip(),
            licence=(said.get("license") or said.get("licence") or "").strip(),
            processor=(said.get("processor_version") or said.get("product_version") or "").strip(),
            attributes=scalars_of(self.file),
        )


def _check_length(path: Path) -> None:
    with path.open("rb") as stream:
        missing = missing_bytes(stream)
    if missing:
        raise SourceError(f"the file is cut: {missing} bytes are missing at its end")


def _calendar(coordinate: Coordinate | None) -> Calendar:
    if coordinate is None:
        return "standard"
    try:
        return calendar_named(str(coordinate.attributes.get("calendar", "")))
    except InvalidTime as error:
        raise SourceError(f"the time axis '{coordinate.name}': {error.message}") from error
