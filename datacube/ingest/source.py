"""What a reader gives: granules, their slices in time, and windows of packed values."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datacube.config.products import CalibrationSettings
from datacube.errors import InvalidTime, SourceError
from datacube.ingest.geometry import Positions
from datacube.ingest.identity import Identity
from datacube.model.calendar import Calendar
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.time import Timestamp


class BandSource(Protocol):
    """One field of one slice, read by windows so that memory stays bounded."""

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window.

        Parameters
        ----------
        index : tuple of int
            Place along each further axis (those of the description but time), in order.
        row0, row1, column0, column1 : int
            Half-open ranges of rows and columns.

        Returns
        -------
        values : stored dtype of the field, (row1 - row0, column1 - column0)

        Raises
        ------
        SourceError
            The file is damaged there.
        """
        ...


def is_parallel(band: BandSource) -> bool:
    """Whether several threads may read windows of a band at once; else one thread reads a source.

    Bands that may say so by their ``parallel``.
    """
    return bool(getattr(band, "parallel", False))


def tile_of(band: BandSource) -> tuple[int, int] | None:
    """Rows and columns that lie together in the source; None where they are whole rows.

    Bands that know say so by their ``tile``.
    """
    found: tuple[int, int] | None = getattr(band, "tile", None)
    return found


TOGETHER_BYTES = 64 << 20
"""Of bands that lie together, so much is kept unpacked while their windows are read."""


def bands_together(band: BandSource) -> int:
    """How many bands lie together in the source, so that whoever reads one unpacks all of them.

    Bands that know say so by their ``together``.
    """
    return int(getattr(band, "together", 1))


@dataclass(frozen=True, eq=False)
class SliceSource:
    """The fields of a granule at one instant.

    Parameters
    ----------
    ticks : int or None
        Instant in the calendar of the description's time axis; None for a cube without time.
    bands : mapping of field name to BandSource
    reference_ticks : int, optional
        Start of the model run that made it.
    """

    ticks: int | None
    bands: Mapping[str, BandSource]
    reference_ticks: int | None = None


@dataclass(frozen=True, eq=False)
class Granule:
    """The part of a source that goes into one cube.

    Parameters
    ----------
    identity : str or Identity
        Stable name for the journal: the product's own name, or a digest of the content.
    product : str
        File or product name, for people.
    cube_id : str
        Where it goes by the naming rule (:mod:`datacube.model.naming`).
    description : CoverageDescription
        Grid, axes (time with the ticks of the slices) and fields as the granule has them.
    slices : tuple of SliceSource
        Ascending in time.
    warnings : tuple of str
        What of the source is left out, a sentence each.
    processor : str
        Program and version, or processing baseline, that made it.
    positions : TiePoints or ReferenceableGrid, optional
        Where the bands' rows and columns lie, instead of on the description's grid.
    attributes : mapping of str to str
        What the source says of itself: attributes, scalar coordinates, keys.
    over : int, optional
        Version of the cube by which its slices were chosen, or over whose values it is laid.
    joined : bool
        Whether it is laid over the values at its cube's other places.
    again : bool
        Whether what was deleted of it comes back.
    calibrated : bool
        Whether its values are backscatter, as ``calibration`` wants it.
    notes : tuple of str
        What was asked for and does not apply to it, a sentence each.
    places : mapping of str to str
        Its own place on the axes along which it has one, where it is laid over others.
    bbox : tuple of float, optional
        West, south, east and north of its own pixels, where it was brought to another grid.
    fits : bool
        Whether it is in the packing of a cube that is there, and not one from which it is made.
    part : tuple of str
        Of its cube's fields those that it has brought, now or before, where these are not all.
    """

    identity: str | Identity
    product: str
    cube_id: str
    description: CoverageDescription
    slices: tuple[SliceSource, ...]
    warnings: tuple[str, ...] = ()
    processor: str = ""
    positions: Positions | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    over: int | None = None
    joined: bool = False
    again: bool = False
    calibrated: bool = False
    notes: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    bbox: tuple[float, float, float, float] | None = None
    fits: bool = False
    part: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name; waits for the digest of the content where it is one."""
        return self.identity if isinstance(self.identity, str) else self.identity.text

    @property
    def id_known(self) -> bool:
        """Whether :attr:`id` does not wait."""
        return isinstance(self.identity, str) or self.identity.known


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about a source that it does not say itself.

    Parameters
    ----------
    cube : str, optional
        Base of the cube ids, instead of the one made from the name.
    time : str, optional
        ISO 8601 instant of a source that holds one instant; stands above what the file says.
    crs : Crs, optional
        CRS of a projected grid that names none.
    forecast : bool
        Whether the run and the step are axes even where valid times would do.
    run : str, optional
        ISO 8601 start of the model run of a source that does not say it; makes a forecast cube.
    calibration : CalibrationSettings, optional
        What the amplitudes of a radar become.
    again : bool
        Whether what was deleted of it comes back.
    """

    cube: str | None = None
    time: str | None = None
    crs: Crs | None = None
    forecast: bool = False
    run: str | None = None
    calibration: CalibrationSettings | None = None
    again: bool = False

    def run_ticks(self, calendar: Calendar) -> int | None:
        """Ticks of ``run``, if it is given."""
        return None if self.run is None else Timestamp.parse(self.run).ticks(calendar)

    def ticks(self, calendar: Calendar = "standard") -> int | None:
        """Ticks of ``time``, if it is given.

        Raises
        ------
        InvalidTime
            It is no ISO 8601 time.
        """
        return None if self.time is None else Timestamp.parse(self.time).ticks(calendar)


class SourceReader(Protocol):
    """One family of formats."""

    @property
    def name(self) -> str:
        """Short name: ``netcdf``, ``grib`` …."""
        ...

    def sniff(self, path: Path) -> bool:
        """Whether the content at the path (a file or a folder) is of this family; cheap."""
        ...

    def open(self, path: Path, options: ReadOptions) -> AbstractContextManager[tuple[Granule, ...]]:
        """Granules of the source, readable within the context.

        Raises
        ------
        SourceError
            The source cannot become a cube; the message says why.
        """
        ...


def magic(path: Path, size: int = 16) -> bytes:
    """First bytes of a file; empty for a folder."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(size)


def instant(options: ReadOptions, count: int, calendar: Calendar, path: Path) -> int | None:
    """The user's instant for a source of ``count`` instants, or None where there is none.

    Raises
    ------
    SourceError
        The source holds several instants, or the text is no time of its calendar.
    """
    if options.time is None:
        return None
    if count > 1:
        raise SourceError(
            f"{path.name} holds {count} times, so one given time ({options.time}) cannot stand "
            "for all of them",
            subject=str(path),
        )
    try:
        return options.ticks(calendar)
    except InvalidTime as error:
        raise SourceError(error.message, subject=options.time) from error
