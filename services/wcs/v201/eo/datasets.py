"""Cubes as dataset series: each time of a cube is a dataset, a coverage with an id of its own.

The id is that of the cube and the instant, ``s2__20240405T101021Z``: it says what it stands for,
stays the same while other times come and go, and is an NCName as ids of documents have to be.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.granules import Granule, granules
from datacube.errors import CoverageNotFound, InvalidTime
from datacube.model.axis import TimeAxis
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.query import CoverageQuery, Slice
from datacube.model.time import Timestamp, format_tick
from services.wcs.published import published_cube

_GREGORIAN = frozenset({"standard", "proleptic_gregorian"})
_STAMP = re.compile(r"(-?\d{4,})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d(?:\.\d+)?)Z")


@dataclass(frozen=True, slots=True)
class Series:
    """A cube whose times are datasets.

    Parameters
    ----------
    cube : Cube
    time : TimeAxis, that of the cube
    """

    cube: Cube
    time: TimeAxis

    @property
    def periods(self) -> NDArray[np.int64]:
        """Begin and end of every time, int64, (size, 2), ticks; the same where no more is known."""
        if self.time.bounds is None:
            return np.stack([self.time.ticks, self.time.ticks], -1)
        return self.time.bounds

    @property
    def period(self) -> tuple[int, int]:
        """Begin of the first and end of the last, ticks."""
        periods = self.periods
        return int(periods[:, 0].min()), int(periods[:, 1].max())

    def iso(self, ticks: int) -> str:
        """An instant as ISO 8601 text."""
        return format_tick(ticks, self.time.calendar)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One time of a cube.

    Parameters
    ----------
    series : Series
    index : int, place on its time axis
    """

    series: Series
    index: int

    @property
    def tick(self) -> int:
        """Its instant."""
        return int(self.series.time.ticks[self.index])

    @property
    def id(self) -> str:
        """Id of the cube, and the instant without punctuation."""
        day, _, hour = self.series.iso(self.tick).rpartition("T")
        year, month, date = day.rsplit("-", 2)
        return f"{self.series.cube.id}__{year}{month}{date}T{hour.replace(':', '')}"

    @property
    def description(self) -> CoverageDescription:
        """The cube without its time axis, under the id of the dataset."""
        known, time = self.series.cube.description, self.series.time
        axes = tuple(axis for axis in known.domain.axes if axis is not time)
        title = f"{known.title or known.id}, {self.series.iso(self.tick)}"
        return replace(known, id=self.id, title=title, domain=DomainSet(known.domain.grid, axes))

    @property
    def period(self) -> tuple[str, str]:
        """Begin and end of the observation, ISO 8601."""
        first, last = self.series.periods[self.index].tolist()
        return self.series.iso(first), self.series.iso(last)

    @property
    def granules(self) -> tuple[Granule, ...]:
        """What it was made of; empty where the store does not know."""
        return granules(self.series.cube, self.index)

    def of_cube(self, query: CoverageQuery) -> CoverageQuery:
        """A query of the dataset as one of its cube."""
        subsets = (*query.subsets, Slice(self.series.time.name, float(self.tick)))
        return replace(query, coverage=self.series.cube.id, subsets=subsets)


def series_of(cube: Cube) -> Series | None:
    """A cube as a series, where its times are dates that every parser takes.

    A forecast of many runs is none, its best view is one.
    """
    time = cube.description.domain.time
    if time is None or time.calendar not in _GREGORIAN or cube.best is not None:
        return None
    return Series(cube, time)


def coverage_of(context: Context, identifier: str) -> Cube | Dataset:
    """The coverage of an id: a cube, or one time of it.

    Raises
    ------
    CoverageNotFound
        There is neither.
    """
    try:
        return published_cube(context, identifier)
    except CoverageNotFound:
        with suppress(CoverageNotFound):  # of the part of it that would be a cube's
            if (found := _dataset(context, identifier)) is not None:
                return found
        raise


def _dataset(context: Context, identifier: str) -> Dataset | None:
    name, _, text = identifier.rpartition("__")
    stamp = _STAMP.fullmatch(text)
    if not name or stamp is None:
        return None
    series = series_of(published_cube(context, name))
    if series is None:
        return None
    year, month, day, hour, minute, second = stamp.groups()
    time = series.time
    try:
        when = Timestamp.parse(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z")
        tick = when.ticks(time.calendar)
    except InvalidTime:
        return None
    index = int(np.searchsorted(time.ticks, tick))
    held = index < time.size and int(time.ticks[index]) == tick
    return Dataset(series, index) if held else None
