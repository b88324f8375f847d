"""What a version says beside its slices: the series copy, and what was deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A run of consecutive times that the series copy holds.

    Parameters
    ----------
    first, last : int, ticks
    count : int
        It is good for exactly so many times from first to last.
    made_of : str
        Digest of the names of the slice documents that it was made of.
    documents : field -> name of the segment's document
    """

    first: int
    last: int
    count: int
    made_of: str
    documents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """The series copy of a cube: long in time, small in space.

    Parameters
    ----------
    steps : int
        Times in a full segment.
    chunk : (height, width) of a chunk in cells
    segments : tuple of SegmentRecord
        In order of time; they do not overlap.
    """

    steps: int
    chunk: tuple[int, int]
    segments: tuple[SegmentRecord, ...] = ()

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "steps": self.steps,
            "chunk": list(self.chunk),
            "segments": [
                [one.first, one.last, one.count, one.made_of, dict(one.documents)]
                for one in self.segments
            ],
        }

    @staticmethod
    def load(document: Mapping[str, Any]) -> "SeriesRecord":
        """Read what was dumped."""
        height, width = document["chunk"]
        segments = tuple(SegmentRecord(*entry) for entry in document["segments"])
        return SeriesRecord(int(document["steps"]), (int(height), int(width)), segments)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A time that was deleted.

    Parameters
    ----------
    ticks : int
    deleted : str
        ISO 8601 time of the deletion.
    cause : str
        Why, in words.
    sources : tuple of str
        Ids of the granules that it was made of.
    bytes : int
        Of its chunks.
    layout, slot : int
        Where they lay.
    """

    ticks: int
    deleted: str
    cause: str
    sources: tuple[str, ...]
    bytes: int
    layout: int
    slot: int

    def dump(self) -> list[Any]:
        """As JSON."""
        place = [self.bytes, self.layout, self.slot]
        return [self.ticks, self.deleted, self.cause, list(self.sources), *place]

    @staticmethod
    def load(entry: list[Any]) -> "Deletion":
        """Read what was dumped."""
        ticks, deleted, cause, sources, size, layout, slot = entry
        return Deletion(ticks, deleted, cause, tuple(sources), size, layout, slot)
