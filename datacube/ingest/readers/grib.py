"""GRIB 1 and 2 on regular longitude-latitude grids, decoded by a child process.

Instants are valid times. Of run and step one may vary; a file in which both do is a forecast
cube of two axes and is refused. Fields without a vertical coordinate of their own (2 m
temperature, 10 m wind, mean sea level pressure) that share grid and times are one part.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as made
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import SourceError
from datacube.ingest.readers.gribchild import GribChild
from datacube.ingest.readers.parts import Origin, Part, granules_of, merged, reading
from datacube.ingest.source import Granule, ReadOptions, SliceSource, content_id, instant, magic
from datacube.model.axis import Axis, IndexAxis, IrregularAxis
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.naming import identifier
from datacube.model.regular import regular, unwrapped

_TIMES = ("time", "step", "valid_time")
_LEVELS = (  # level types whose number is a place along a vertical axis, even when there is one
    *("isobaricInhPa", "isobaricInPa", "isobaricLayer", "hybrid", "sigma", "eta", "theta"),
    *("potentialVorticity", "depthBelowLand", "depthBelowLandLayer", "depthBelowSea"),
    *("heightAboveSea", "generalVertical", "oceanModel", "oceanModelLayer"),
)


@dataclass(slots=True)
class _Plane:
    """The plane read last, so that windows of one message decode it once."""

    places: tuple[int, ...] | None = None
    values: NDArray[np.generic] = made(default_factory=lambda: np.empty((0, 0), np.float32))


@dataclass(frozen=True, eq=False)
class GribBand:
    """A field at one instant.

    Parameters
    ----------
    child : GribChild
    cube : int, number of the hypercube
    field : str
    fixed : mapping of dimension to place in time
    axes : tuple of dimension
    orders : places along each axis as the granule has them -> places in the file
    """

    child: GribChild
    cube: int
    field: str
    fixed: dict[str, int]
    axes: tuple[str, ...]
    orders: tuple[NDArray[np.int64], ...]
    last: _Plane = made(default_factory=_Plane)

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        if self.last.places != index:
            own = (int(order[at]) for order, at in zip(self.orders, index, strict=True))
            places = {**self.fixed, **dict(zip(self.axes, own, strict=True))}
            self.last.values = self.child.plane(self.cube, self.field, places)
            self.last.places = index
        return self.last.values[row0:row1, column0:column1]


@dataclass(frozen=True, slots=True)
class GribReader:
    """Reader of GRIB files."""

    name: str = "grib"

    def sniff(self, path: Path) -> bool:
        """Whether a GRIB message starts within the first bytes (a bulletin header may precede)."""
        return b"GRIB" in magic(path, 256)

    @contextmanager
    def open(self, path: Path, options: ReadOptions) -> Iterator[tuple[Granule, ...]]:
        """Granules of the file; see :class:`~datacube.ingest.source.SourceReader`."""
        with GribChild(path) as child:
            with reading(path):
                cubes = [
                    _Hypercube(number, one, child, path, options)
                    for number, one in enumerate(child.cubes)
                ]
                origin = Origin(path, content_id(path), attribution=cubes[0].centre)
                granules = granules_of(_parts(cubes), origin, options)
            yield granules


def _parts(cubes: "Sequence[_Hypercube]") -> list[Part]:
    """One part for each hypercube; those on single levels of equal grid and times together."""
    parts = [cube.part() for cube in cubes]
    joined: list[Part] = []
    for part in parts:
        partner = next((one for one in joined if _together(one, part)), None)
        if partner is None:
            joined.append(part)
            continue
        slices = tuple(
            SliceSource(a.ticks, {**a.bands, **b.bands}, a.reference_ticks)
            for a, b in zip(partner.slices, part.slices, strict=True)
        )
        both = Part(partner.grid, (), slices, (*partner.fields, *part.fields), partner.hint)
        joined[joined.index(partner)] = both
    return joined


def _together(one: Part, other: Part) -> bool:
    names = [{item.name: 0 for item in part.fields} for part in (one, other)]
    return (
        not one.axes
        and not other.axes
        and one.grid == other.grid
        and [item.ticks for item in one.slices] == [item.ticks for item in other.slices]
        and merged(names)
    )


@dataclass(frozen=True, eq=False)
class _Hypercube:
    number: int
    described: dict[str, Any]
    child: GribChild
    path: Path
    options: ReadOptions

    @property
    def centre(self) -> str:
        return str(self.described["attributes"].get("GRIB_centreDescription", ""))

    def part(self) -> Part:
        fields = self._fields()
        dimensions = [name for name in self._dims if name not in {*_TIMES, "latitude", "longitude"}]
        axes, orders = [], []
        for name in dimensions:
            axis, order = self._axis(name)
            axes.append(axis)
            orders.append(order)
        single = self._level_type if self._level_type in _LEVELS else ""
        if single and single not in dimensions and single in self._coordinates:
            axes.insert(0, self._axis(single)[0])
            orders.insert(0, np.zeros(1, np.int64))
            dimensions.insert(0, "")
        slices = tuple(
            SliceSource(
                tick,
                {one.name: self._band(name, place, dimensions, orders) for name, one in fields},
                reference,
            )
            for tick, reference, place in self._instants()
        )
        return Part(
            self._grid(), tuple(axes), slices, tuple(one for _, one in fields), self._level_type
        )

    @property
    def _dims(self) -> list[str]:
        return list(self.described["fields"][0]["dims"])

    @property
    def _coordinates(self) -> dict[str, Any]:
        found: dict[str, Any] = self.described["coordinates"]
        return found

    @property
    def _level_type(self) -> str:
        types = Counter(one["attributes"]["GRIB_typeOfLevel"] for one in self.described["fields"])
        return str(types.most_common(1)[0][0]) or "level"

    def _band(
        self,
        name: str,
        place: dict[str, int],
        dimensions: list[str],
        orders: list[NDArray[np.int64]],
    ) -> "GribBand | _SingleLevel":
        real = [at for at, one in enumerate(dimensions) if one]
        band = GribBand(
            self.child,
            self.number,
            name,
            place,
            tuple(dimensions[at] for at in real),
            tuple(orders[at] for at in real),
        )
        return band if len(real) == len(dimensions) else _SingleLevel(band)

    def _values(self, name: str) -> list[Any]:
        found = self._coordinates[name]["values"]
        return found if isinstance(found, list) else [found]

    def _grid(self) -> RectifiedGrid:
        lines = []
        for name in ("longitude", "latitude"):
            values = np.asarray(self._values(name), np.float64)
            line = regular(unwrapped(values) if name == "longitude" else values)
            if line is None:
                raise SourceError(f"the {name}s are not equidistant; regular grids only")
            lines.append((*line, len(values)))
        return RectifiedGrid.from_centres(Crs.parse("EPSG:4326"), *lines[0], *lines[1])

    def _axis(self, name: str) -> tuple[Axis, NDArray[np.int64]]:
        """The axis along a dimension (or a single level) and its order in the file."""
        values = np.asarray(self._values(name), np.float64)
        said = self._coordinates[name]["attributes"]
        title = said["long_name"] or said["standard_name"] or name
        if name == "number":
            labels = tuple(f"{value:g}" for value in values)
            return IndexAxis(name, len(values), title=title, labels=labels), np.arange(len(values))
        steps = np.diff(values)
        monotonic = (steps > 0).all() or (steps < 0).all()
        order = np.arange(len(values)) if monotonic else np.argsort(values)
        axis = IrregularAxis(identifier(name, "_"), values[order], said["units"], title)
        return axis, order.astype(np.int64)

    def _instants(self) -> list[tuple[int | None, int | None, dict[str, int]]]:
        """(ticks, start of the run, place) of each slice."""
        along = [name for name in self._dims if name in _TIMES]
        if len(along) > 1:
            runs, steps = (len(self._values(name)) for name in ("time", "step"))
            raise SourceError(
                f"both the run ({runs} times) and the step ({steps}) vary; files of one run, or "
                "of one step, can be read"
            )
        if not along:
            given = instant(self.options, 1, "standard", self.path)
            valid = self._scalar("valid_time") if given is None else given
            return [(valid, self._scalar("time"), {})]
        valid_times = self._values("valid_time")
        instant(self.options, len(valid_times), "standard", self.path)
        runs_of = self._values("time") * (len(valid_times) if along == ["step"] else 1)
        return [
            (int(valid), int(run), {along[0]: place})
            for place, (valid, run) in enumerate(zip(valid_times, runs_of, strict=True))
        ]

    def _scalar(self, name: str) -> int | None:
        if name not in self._coordinates:
            return None
        return int(self._values(name)[0])

    def _fields(self) -> list[tuple[str, Field]]:
        found = []
        for one in self.described["fields"]:
            said = {
                key: "" if value in {"unknown", "None"} else value
                for key, value in one["attributes"].items()
            }
            name = one["name"] if one["name"] != "unknown" else f"param{said['GRIB_paramId']}"
            found.append(
                (
                    one["name"],
                    Field(
                        identifier(name, "_"),
                        one["dtype"],
                        uom=said["units"],
                        title=said["long_name"] or said["GRIB_name"] or name,
                        standard_name=said["standard_name"],
                    ),
                )
            )
        return found


@dataclass(frozen=True, eq=False)
class _SingleLevel:
    """A band whose granule has a vertical axis of one level that the file has not."""

    band: GribBand

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Values of a window; the first index is the single level."""
        return self.band.read(index[1:], row0, row1, column0, column1)
