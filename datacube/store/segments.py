"""Which segments the series copy should have, and which stay good after a change."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256

from datacube.store.records import SegmentRecord, SeriesRecord
from datacube.store.slices import Slice

type Run = tuple[int, int]
"""(start, stop) along the time axis, stop excluded."""

_SHARE = 8


def digest_of(slices: Sequence[Slice]) -> str:
    """Digest of the slices that a segment is made of."""
    return sha256("\n".join(one.name for one in slices).encode()).hexdigest()[:16]


def run_of(segment: SegmentRecord, slices: Sequence[Slice]) -> Run:
    """Where the times from a segment's first to its last now lie."""
    start = bisect_left(slices, segment.first, key=_ticks)
    return start, bisect_right(slices, segment.last, key=_ticks)


def good(segment: SegmentRecord, slices: Sequence[Slice]) -> bool:
    """Whether a segment holds exactly what these slices hold."""
    start, stop = run_of(segment, slices)
    return stop - start == segment.count and digest_of(slices[start:stop]) == segment.made_of


def surviving(
    series: SeriesRecord,
    made: Sequence[SegmentRecord],
    changed: Collection[int | None],
    slices: Sequence[Slice],
) -> tuple[SegmentRecord, ...]:
    """The segments of a version after a change.

    Parameters
    ----------
    series : SeriesRecord, before the change
    made : sequence of SegmentRecord
        New ones; dropped where another writer has since changed a time in them, or has made a
        segment there that is no shorter.
    changed : ticks that were written
    slices : after the change, in order of time
    """
    ticks = sorted(one for one in changed if one is not None)
    kept = [one for one in series.segments if not _touched(one, ticks)]
    for new in made:
        over = [one for one in kept if one.first <= new.last and new.first <= one.last]
        if good(new, slices) and all(one.count < new.count for one in over):
            kept = [*(one for one in kept if one not in over), new]
    return tuple(sorted(kept, key=lambda one: one.first))


def due(
    before: SeriesRecord,
    after: SeriesRecord,
    changed: Collection[int | None],
    slices: Sequence[Slice],
) -> list[Run]:
    """The segments that a commit makes.

    After the last segment, every full run of times becomes one, so that less than a full segment
    is ever left to the map chunks of a cube that grows; a commit that has just broken a segment
    there leaves that to a later one. Any other run between segments becomes one when the commit
    itself has written an eighth of it (and it is at least half a segment long). What is broken by
    smaller corrections is made again by ``rebuild_series``. So a commit reads at most about eight
    times what it writes, or one segment for a segment's worth of times.

    Parameters
    ----------
    before, after : SeriesRecord
        The copy before the change, and without what the change has broken.
    changed : ticks that were written
    slices : after the change, in order of time
    """
    broken = [one for one in before.segments if one not in after.segments]
    found = []
    for start, stop, at_end in _gaps(after, slices):
        for run in _cut(start, stop, after.steps, at_end=at_end):
            first, last = slices[run[0]], slices[run[1] - 1]
            written = sum(one.ticks in changed for one in slices[slice(*run)])
            fresh = at_end and not any(
                one.first <= _ticks(last) and _ticks(first) <= one.last for one in broken
            )
            enough = _SHARE * written >= run[1] - run[0] >= after.steps / 2
            if fresh or enough:
                found.append(run)
    return found


def missing(series: SeriesRecord, slices: Sequence[Slice], *, tail: bool) -> list[Run]:
    """Every run that could be a segment.

    Parameters
    ----------
    series : SeriesRecord
    slices : in order of time
    tail : bool
        The last times too although they are less than a full segment.
    """
    return [
        run
        for start, stop, at_end in _gaps(series, slices)
        for run in _cut(start, stop, series.steps, at_end=at_end and not tail)
    ]


def _gaps(series: SeriesRecord, slices: Sequence[Slice]) -> Iterator[tuple[int, int, bool]]:
    """Runs of times in no segment: (start, stop, whether after the last one)."""
    at = 0
    for segment in series.segments:
        start, stop = run_of(segment, slices)
        if at < start:
            yield at, start, False
        at = stop
    if at < len(slices):
        yield at, len(slices), True


def _cut(start: int, stop: int, steps: int, *, at_end: bool) -> Iterator[Run]:
    """Full segments only, at the end; else as few as hold all, about equally long.

    Examples
    --------
    >>> list(_cut(0, 9, 4, at_end=True)), list(_cut(0, 9, 4, at_end=False))
    ([(0, 4), (4, 8)], [(0, 3), (3, 6), (6, 9)])
    """
    length = stop - start
    count = length // steps if at_end else -(-length // steps)
    for number in range(count):
        if at_end:
            yield start + number * steps, start + (number + 1) * steps
        else:
            yield start + number * length // count, start + (number + 1) * length // count


def _touched(segment: SegmentRecord, ticks: Sequence[int]) -> bool:
    """Whether one of the ticks lies in a segment; ticks ascend."""
    return bisect_left(ticks, segment.first) < bisect_right(ticks, segment.last)


def _ticks(one: Slice) -> int:
    return one.ticks or 0
