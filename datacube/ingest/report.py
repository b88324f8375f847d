"""What an ingest tells while it runs, and at its end."""

from dataclasses import dataclass
from typing import Literal

type Status = Literal["ingested", "already", "refused"]


@dataclass(frozen=True, slots=True)
class SourceStarted:
    """A source is about to be opened: number ``position`` (from 1) of ``total``."""

    source: str
    position: int
    total: int


@dataclass(frozen=True, slots=True)
class SlicePlanned:
    """A source is readable and fits: so many slices of so many bytes (unpacked) will be written."""

    source: str
    cube: str
    slices: int
    bytes: int


@dataclass(frozen=True, slots=True)
class BytesRead:
    """So many more bytes (unpacked) of a source have been read and handed to the store."""

    source: str
    cube: str
    bytes: int


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What became of a source.

    Parameters
    ----------
    source : str
        As the user wrote it.
    cubes : tuple of str
        Ids of the cubes that it is in now; empty when refused.
    status : Status
    slices_added : int
    bytes : int
        Written to the store, overviews included.
    seconds : float
    reason : str
        One line, when refused.
    """

    source: str
    cubes: tuple[str, ...]
    status: Status
    slices_added: int = 0
    bytes: int = 0
    seconds: float = 0.0
    reason: str = ""

    @property
    def line(self) -> str:
        """One line for people: the source, and where it is or what is wrong with it."""
        if self.status == "refused":
            return f"{self.source}: refused: {self.reason}"
        if self.status == "already":
            return f"{self.source}: already in {self.cube}"
        slices = f"{self.slices_added} slice{'' if self.slices_added == 1 else 's'}"
        amount = f"{slices}, {self.bytes} bytes, {self.seconds:.1f} s"
        return f"{self.source}: {amount} into {self.cube}"

    @property
    def cube(self) -> str:
        """The cubes in one text."""
        return ", ".join(self.cubes)


type Event = SourceStarted | SlicePlanned | BytesRead | SourceResult


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Results in the order of the sources.

    Examples
    --------
    >>> good = SourceResult("a.nc", ("sst",), "ingested", 1)
    >>> bad = SourceResult("b.nc", (), "refused", reason="the file is empty")
    >>> [IngestReport(r).exit_code for r in ((good,), (good, bad), (bad,))]
    [0, 3, 2]
    """

    results: tuple[SourceResult, ...]

    @property
    def exit_code(self) -> int:
        """0 all went in (or were in already), 3 some, 2 none."""
        refused = sum(one.status == "refused" for one in self.results)
        if not refused and self.results:
            return 0
        return 3 if refused < len(self.results) else 2
