"""What an ingest tells while it runs, and at its end."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, assert_never

from datacube.ingest.words import some

type Status = Literal[
    "ingested", "partial", "already", "deleted", "planned", "side", "refused", "failed"
]
"""What became of a source: it went in, wholly or in part; its cube has it already; it was deleted
from its cube and stays out; it would go in (dry run); it holds no values but describes other files;
it cannot go in; or the storage or the network failed, so that it may go in another time."""


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
class Retrying:
    """The storage or the network has failed; the source is tried again after some seconds."""

    source: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What became of a source.

    Parameters
    ----------
    source : str
        As the user wrote it.
    cubes : tuple of str
        Ids of the cubes that it is in now, or was deleted from; empty when refused.
    status : Status
    slices_added : int
    bytes : int
        Written to the store, overviews included; of a dry run those of the values in the cube's
        data types, before they are compressed and without overviews.
    seconds : float
    reason : str
        One line: why it was refused or failed, what it is a side file of, what of it was left
        out, or why another file's values need not be written.
    behind : tuple of str
        Of the cubes those that plain Zarr readers see as they were, until they are compacted.
    slices_replaced : int
        Of a dry run: how many of the slices are at times that their cubes have already.
    slices_deleted : int
        How many of its slices stay out, since they were deleted.
    deleted : str
        When they were, from which cube and why; empty where there are none.
    notes : tuple of str
        What the recipe or the user asked for that does not apply to it, a sentence each.
    fields : tuple of str
        The fields that it has, where it lacks some of its cubes'.
    """

    source: str
    cubes: tuple[str, ...]
    status: Status
    slices_added: int = 0
    bytes: int = 0
    seconds: float = 0.0
    reason: str = ""
    behind: tuple[str, ...] = ()
    slices_replaced: int = 0
    slices_deleted: int = 0
    deleted: str = ""
    notes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """One line for people: the source, and where it is or what is wrong with it."""
        match self.status:
            case "refused" | "failed":
                return f"{self.source}: {self.status}: {self.reason}"
            case "side":
                return f"{self.source}: passed over: {self.reason}"
            case "already":
                why = f": {self.reason}" if self.reason else ""
                return f"{self.source}: already in {self.cube}{why}{self.out}"
            case "deleted":
                return f"{self.source}: passed over: {self.deleted}"
            case "planned":
                where = f"to {self.cube}{self.instead}"
                amount = f"{self.slices}, {self.bytes} bytes uncompressed"
                return f"{self.source}: would add {amount}, {where}{self.out}"
            case "ingested" | "partial":
                amount = f"{self.slices}, {self.bytes} bytes, {self.seconds:.1f} s"
                rest = f"; in part: {self.reason}" if self.status == "partial" else ""
                return f"{self.source}: {amount} into {self.cube}{self.out}{rest}"
            case _:
                assert_never(self.status)

    @property
    def slices(self) -> str:
        """How many slices; and of which fields, where it lacks some of its cubes'.

        Examples
        --------
        >>> SourceResult("a.nc", ("t",), "ingested", 2, fields=("t2m", "tp")).slices
        '2 slices of t2m, tp'
        """
        count = _slices(self.slices_added)
        return f"{count} of {some(self.fields)}" if self.fields else count

    @property
    def instead(self) -> str:
        """Which of the slices of a dry run would take the place of others, if any."""
        if not self.slices_replaced:
            return ""
        every = self.slices_replaced == self.slices_added
        return f", {'' if every else f'{self.slices_replaced} of them '}in place of what is there"

    @property
    def out(self) -> str:
        """Which of the slices stay out though others are in, and what did not apply, if any."""
        count = self.slices_deleted
        out = (f"{_slices(count)} passed over, {self.deleted}",) if count else ()
        return "".join(f"; {one}" for one in (*out, *self.notes))

    @property
    def cube(self) -> str:
        """The cubes in one text."""
        return ", ".join(self.cubes)


type Event = SourceStarted | SlicePlanned | BytesRead | Retrying | SourceResult


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
        """0 all went in (or were in already, or stay out), 3 some or in part, 2 none.

        Side files do not count, as long as something else does.
        """
        states = [one.status for one in self.results if one.status != "side"]
        if not states or all(one in {"refused", "failed"} for one in states):
            return 2
        return 3 if {"refused", "failed", "partial"} & set(states) else 0

    def dump(self) -> dict[str, Any]:
        """As JSON: the results with every figure, and the exit code."""
        results = [
            asdict(one)
            | {key: list(getattr(one, key)) for key in ("cubes", "behind", "notes", "fields")}
            | {"bytes_of": "values" if one.status == "planned" else "objects"}
            for one in self.results
        ]
        return {"exit_code": self.exit_code, "sources": results}


def _slices(count: int) -> str:
    return f"{count} slice{'' if count == 1 else 's'}"
