"""GRIB 1 and 2 on regular, rotated and projected grids, decoded by a child process.

Instants are valid times. Where runs and steps overlap, so that a valid time occurs more than once
(or where the recipe asks for it), the cube is a forecast cube: its time axis is the start of the
run (``reference_time``), and ``step`` in hours is an axis of its own. Combinations that the file
does not hold are no data. Messages that are damaged, or on a grid that is not read, are left out
with a warning as long as others can be read.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as made
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from datacube.errors import SourceError
from datacube.ingest.identity import content_id
from datacube.ingest.readers.gribchild import GribDecoder
from datacube.ingest.readers.gribgrid import grid_of_section
from datacube.ingest.readers.gribindex import (
    Hypercube,
    Level,
    Message,
    Place,
    hypercubes_of,
    message_of,
    repeats_of,
)
from datacube.ingest.readers.parts import Origin, Part, granules_of, reading
from datacube.ingest.source import Granule, ReadOptions, SliceSource, instant, magic
from datacube.ingest.words import some
from datacube.model.axis import Axis, IndexAxis, IrregularAxis
from datacube.model.fields import Field
from datacube.model.grid import Grid
from datacube.model.naming import identifier

_MS_PER_HOUR = 3_600_000
_UNITS = {
    "isobaricInhPa": ("hPa", "air_pressure"),
    "isobaricInPa": ("Pa", "air_pressure"),
    "heightAboveGround": ("m", "height above ground"),
    "heightAboveSea": ("m", "height above sea"),
    "depthBelowLand": ("m", "depth below land"),
    "depthBelowSea": ("m", "depth below sea"),
    "hybrid": ("1", "hybrid level"),
    "theta": ("K", "theta level"),
}


class _Plane(threading.local):
    """The plane that a thread read last, so that windows of one message decode it once."""

    message: Message | None = None
    values: NDArray[np.float32] = np.empty((0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class GribBand:
    """A field at one instant.

    Parameters
    ----------
    decoder : GribDecoder
    messages : mapping of places along the further axes to Message
        A place without a message is no data.
    last : the planes read last, shared by the bands of a file
    """

    parallel: ClassVar[bool] = True

    decoder: GribDecoder
    messages: Mapping[tuple[int, ...], Message]
    last: _Plane

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        message = self.messages.get(index)
        if message is None:
            return np.full((row1 - row0, column1 - column0), np.nan, np.float32)
        if self.last.message is not message:
            self.last.values = self.decoder.plane(message.place, message.grid)
            self.last.message = message
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
        with GribDecoder(path) as decoder:
            with reading(path):
                granules = _Opened(path, decoder, options).granules()
            yield granules


@dataclass(frozen=True, eq=False)
class _Opened:
    path: Path
    decoder: GribDecoder
    options: ReadOptions
    last: _Plane = made(default_factory=_Plane)

    def granules(self) -> tuple[Granule, ...]:
        identity = content_id(self.path)  # while the child makes the index
        warnings = self._damage()
        grids, refused = self._grids()
        messages = [
            message_of(one) for one in self.decoder.index["messages"] if one["grid"] in grids
        ]
        if not messages:
            raise SourceError(refused[0] if refused else "the file holds no GRIB message")
        origin = Origin(
            self.path,
            identity,
            attribution=str(messages[0].keys.get("centreDescription", "")),
            warnings=(*warnings, *refused, *self._repeats(messages)),
            attributes={key: str(value) for key, value in messages[0].keys.items()},
        )
        parts = [self._part(one, grids[one.grid]) for one in hypercubes_of(messages)]
        return granules_of(parts, origin, self.options)

    def _damage(self) -> tuple[str, ...]:
        """What is said of messages that cannot be read, while others can."""
        damage: list[str] = self.decoder.index["damage"]
        if not damage:
            return ()
        whole = len(self.decoder.index["messages"])
        words = f"{len(damage)} damaged or cut ({damage[0].lower()})"
        if not whole:
            raise SourceError(f"damaged or unknown GRIB: no message can be read, {words}")
        return (f"of {whole + len(damage)} messages {words}; {whole} could be read",)

    def _repeats(self, messages: Sequence[Message]) -> tuple[str, ...]:
        """What is said where messages disagree on the values of one field at one place."""
        names = []
        for one, other in repeats_of(messages):
            if one.name in names:
                continue
            mine, its = (self.decoder.plane(each.place, each.grid) for each in (one, other))
            if not np.array_equal(mine, its, equal_nan=True):
                names.append(one.name)
        if not names:
            return ()
        return (f"several messages say other values of {some(names)} at one time; the last count",)

    def _grids(self) -> tuple[dict[str, Grid], tuple[str, ...]]:
        """Grids by digest, and why others are not read."""
        found, refused = {}, []
        for digest, keys in self.decoder.index["grids"].items():
            try:
                found[digest] = grid_of_section(keys)
            except SourceError as error:
                refused.append(error.message)
        return found, tuple(dict.fromkeys(refused))

    def _part(self, cube: Hypercube, grid: Grid) -> Part:
        times = _Times.of(cube, forecast=self.options.forecast)
        instant(self.options, len(times.slices), "standard", self.path)
        given = self.options.ticks()
        fields = [_field(name, messages) for name, messages in cube.variables.items()]
        slices = tuple(
            SliceSource(
                tick if given is None else given,
                {
                    field.name: GribBand(
                        self.decoder, _placed(cube, messages, runs, times.step), self.last
                    )
                    for field, messages in zip(fields, cube.variables.values(), strict=True)
                },
                reference,
            )
            for tick, reference, runs in times.slices
        )
        members, levels = _members(cube), _levels(cube)
        axes = tuple(one for one in (members, times.step, levels) if one is not None)
        name = "time" if times.step is None else "reference_time"
        return Part(grid, axes, slices, tuple(fields), cube.level_type, time_name=name)


type _Runs = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True, eq=False)
class _Times:
    """Slices along time as (ticks, start of the run, the runs along step), and the step axis."""

    slices: tuple[tuple[int, int, _Runs], ...]
    step: Axis | None = None

    @staticmethod
    def of(cube: Hypercube, *, forecast: bool) -> "_Times":
        valid = {one for _, one in cube.runs}
        if len(valid) == len(cube.runs) and not forecast:
            return _Times(tuple((at, run, ((run, at),)) for run, at in cube.runs))
        steps = sorted({at - run for run, at in cube.runs})
        hours = np.array(steps, np.float64) / _MS_PER_HOUR
        slices = tuple(
            (run, run, tuple(_there(cube, run, step) for step in steps))
            for run in sorted({run for run, _ in cube.runs})
        )
        return _Times(slices, IrregularAxis("step", hours, "h", "forecast_period"))


def _there(cube: Hypercube, run: int, step: int) -> tuple[int, int] | None:
    pair = run, run + step
    return pair if pair in cube.runs else None


def _placed(
    cube: Hypercube,
    messages: Mapping[Place, Message],
    runs: _Runs,
    step: Axis | None,
) -> dict[tuple[int, ...], Message]:
    """Messages by their place along the axes that the part has."""
    kept = (len(cube.members) > 1, step is not None, bool(cube.levels))
    levels: Sequence[Level | None] = cube.levels or (None,)
    found = {}
    for m, member in enumerate(cube.members):
        for s, run in enumerate(runs):
            for z, level in enumerate(levels):
                message = None if run is None else messages.get((member, run, level))
                if message is not None:
                    place = zip((m, s, z), kept, strict=True)
                    found[tuple(at for at, is_axis in place if is_axis)] = message
    return found


def _members(cube: Hypercube) -> Axis | None:
    if len(cube.members) < 2:
        return None
    labels = tuple(str(one) for one in cube.members)
    return IndexAxis("number", len(labels), title="ensemble member", labels=labels)


def _levels(cube: Hypercube) -> Axis | None:
    if not cube.levels:
        return None
    name = identifier(cube.level_type, "_")
    tops = [top for top, _ in cube.levels]
    uom, title = _UNITS.get(cube.level_type.removesuffix("Layer"), ("1", f"{name} level"))
    if len(set(tops)) < len(tops):  # layers of the same top are told apart by their names
        labels = tuple(f"{top:g}-{bottom:g}" for top, bottom in cube.levels)
        return IndexAxis(name, len(labels), uom, title, labels)
    return IrregularAxis(name, np.array(tops, np.float64), uom, title)


def _field(name: str, messages: Mapping[Place, Message]) -> Field:
    keys = next(iter(messages.values())).keys
    said = {
        key: "" if str(value) in {"unknown", "None", "~"} else str(value)
        for key, value in keys.items()
    }
    return Field(
        identifier(name, "_"),
        "float32",
        uom=said.get("units", ""),
        title=_title(said, name),
        standard_name=said.get("cfName", ""),
    )


def _title(said: Mapping[str, str], name: str) -> str:
    """The parameter's name, and its level type where the field is told apart by it."""
    level_type = said.get("typeOfLevel", "")
    words = said.get("name") or name
    return f"{words} ({level_type})" if name.endswith(f"_{level_type}") else words
