"""What values occur: counted while a slice is written, merged over all slices of a cube.

Of each slice and field the number of valid cells, the smallest, the largest and the sum are exact.
Quantiles come from a histogram of a sample of at most about 16,384 cells in a fixed pattern (every
n-th row and column of every plane), so that the same values always give the same numbers.

Summaries are merged by adding their histograms bin by bin; bins are powers of two wide, so that
narrow ones fit into wide ones exactly. A histogram that gets too long has the width of its bins
doubled; only bins that hold something count, so a few absurd values do not make the others coarse.
A slice that is replaced is subtracted; only the extremes stay, as bounds, when they were its own.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import frexp, isqrt, ldexp, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Field
from datacube.store.measure import Seen, look, total_of

PROBABILITIES = (0.02, 0.05, 0.25, 0.5, 0.75, 0.95, 0.98)
"""Of the quantiles that are kept."""

_SAMPLE = 16_384
_SLICE_BINS = 64
_BINS = 256
_FAR = 1e300


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many sampled values fall into bins of equal width; empty bins are left out.

    Parameters
    ----------
    exponent : int
        Bin i holds values from i * 2^exponent to below (i + 1) * 2^exponent.
    bins : float64, (n,), whole numbers, ascending
    counts : int64, (n,)

    Examples
    --------
    >>> fine = Histogram.of(np.array([0.0, 1, 2, 3, 9e30]), 0)
    >>> fine.plus(fine, 8).counts.tolist(), fine.at_most(3).bins.tolist()[:2]
    ([2, 2, 2, 2, 2], [0.0, 1.0])
    """

    exponent: int
    bins: NDArray[np.float64]
    counts: NDArray[np.int64]

    @staticmethod
    def of(values: NDArray[Any], exponent: int) -> "Histogram":
        """Count values."""
        bins, counts = np.unique(_floored(values.astype(np.float64), exponent), return_counts=True)
        return Histogram(exponent, bins, counts.astype(np.int64))

    @staticmethod
    def of_ascending(values: NDArray[np.float64], exponent: int, number: int) -> "Histogram":
        """``of(values, exponent).at_most(number)``, in less time where each is in a bin of its own.

        Examples
        --------
        >>> Histogram.of_ascending(np.arange(8.0), 0, 4).counts.tolist()
        [2, 2, 2, 2]
        """
        fine = _floored(values, exponent)
        doublings = _doublings(1 + int(np.count_nonzero(fine[1:] != fine[:-1])), number)
        bins = _floored(fine, doublings) if doublings else fine
        first = _firsts(bins)
        counts = np.diff(first, append=len(bins))
        return Histogram(exponent + doublings, bins[first], counts).at_most(number)

    def plus(self, other: "Histogram", number: int) -> "Histogram":
        """Both together, in so many bins at most."""
        exponent = min(self.exponent, other.exponent)
        first, second = self.at(exponent), other.at(exponent)
        return _summed(
            exponent,
            np.concatenate((first.bins, second.bins)),
            np.concatenate((first.counts, second.counts)),
        ).at_most(number)

    def minus(self, other: "Histogram") -> "Histogram":
        """What is left; counts below zero where the other is not part of this one."""
        exponent = max(self.exponent, other.exponent)
        first, second = self.at(exponent), other.at(exponent)
        return _summed(
            exponent,
            np.concatenate((first.bins, second.bins)),
            np.concatenate((first.counts, -second.counts)),
        )

    def at(self, exponent: int) -> "Histogram":
        """The same in bins of another width; in narrower ones at their lower ends."""
        if exponent == self.exponent:
            return self
        if not len(self.bins):
            return Histogram(exponent, self.bins, self.counts)
        bins = _floored(self.bins, exponent - self.exponent)
        first = _firsts(bins)
        counts = np.add.reduceat(self.counts, first)
        return Histogram(exponent, bins[first][counts != 0], counts[counts != 0])

    def at_most(self, number: int) -> "Histogram":
        """The same in so many bins at most: their width is doubled until they fit."""
        made = self.at(self.exponent + _doublings(len(self.bins), number))
        while len(made.bins) > number:
            made = made.at(made.exponent + 1)
        return made

    def quantile(self, share: float) -> float:
        """About the value below which a share of all values lies; linear within a bin."""
        sums = np.cumsum(self.counts)
        wanted = share * float(sums[-1])
        place = min(int(np.searchsorted(sums, wanted)), len(sums) - 1)
        before = float(sums[place] - self.counts[place])
        within = (wanted - before) / float(self.counts[place])
        return ldexp(float(self.bins[place]) + within, self.exponent)


@dataclass(frozen=True, eq=False)
class Summary:
    """Values that occur, in stored (packed) units; infinite ones and no data are left out.

    Parameters
    ----------
    count : int, valid cells, at least 1
    minimum, maximum, total : float
    sample : Histogram
    """

    count: int
    minimum: float
    maximum: float
    total: float
    sample: Histogram

    @property
    def quantiles(self) -> tuple[float, ...]:
        """About the values at PROBABILITIES."""
        found = (self.sample.quantile(share) for share in PROBABILITIES)
        return tuple(min(max(one, self.minimum), self.maximum) for one in found)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "count": self.count,
            "min": self.minimum,
            "max": self.maximum,
            "sum": self.total,
            "exponent": self.sample.exponent,
            "bins": [int(one) if abs(one) < 2**53 else one for one in self.sample.bins.tolist()],
            "counts": self.sample.counts.tolist(),
        }

    @staticmethod
    def load(document: Mapping[str, Any]) -> "Summary":
        """Read what was dumped."""
        bins = np.array(document["bins"], np.float64)
        counts = np.array(document["counts"], np.int64)
        return Summary(
            int(document["count"]),
            float(document["min"]),
            float(document["max"]),
            float(document["sum"]),
            Histogram(int(document["exponent"]), bins, counts),
        )


@dataclass(frozen=True, slots=True)
class FieldStatistics:
    """Physical values that occur in a field, over all times of a cube.

    Parameters
    ----------
    count : int, valid cells
    minimum, maximum : float
        Bounds of what occurs; attained unless slices were replaced.
    mean : float
    quantiles : tuple of float
        About those at PROBABILITIES: 2, 5, 25, 50, 75, 95 and 98 percent.

    Examples
    --------
    >>> kelvin = Field("t", "int16", scale=0.5, offset=200.0)
    >>> packed = np.arange(101)
    >>> measured = FieldStatistics.of(kelvin, Summary(101, 0, 100, 5050, Histogram.of(packed, 0)))
    >>> measured.mean, measured.maximum, [round(one) for one in measured.usual]
    (225.0, 250.0, [201, 249])
    """

    count: int
    minimum: float
    maximum: float
    mean: float
    quantiles: tuple[float, ...]

    @staticmethod
    def of(field: Field, summary: Summary) -> "FieldStatistics":
        """A summary in physical units."""
        scale, offset = field.scale, field.offset
        ends = sorted(one * scale + offset for one in (summary.minimum, summary.maximum))
        ordered = tuple(sorted(one * scale + offset for one in summary.quantiles))
        mean = summary.total / summary.count * scale + offset
        return FieldStatistics(summary.count, ends[0], ends[1], mean, ordered)

    @property
    def usual(self) -> tuple[float, float]:
        """The 2nd and 98th percentile: a range that shows nearly everything."""
        return self.quantiles[0], self.quantiles[-1]


type Counted = tuple[int, float, float, float, NDArray[Any]]
"""Of one chunk: number of valid cells, smallest, largest, sum, sample."""


class Collector:
    """Summarises one field of a slice, from its chunks in any order and on any threads.

    Parameters
    ----------
    field : Field
    shape : tuple of int
        (axes…, y, x) of the slice.

    Examples
    --------
    >>> collector = Collector(Field("v", "int16", nil=-1), (2, 2))
    >>> collector.add(0, 0, 0, np.array([[1, 3], [-1, 5]], "int16"))
    >>> summary = collector.summary()
    >>> summary.count, summary.minimum, summary.maximum, summary.total
    (3, 1.0, 5.0, 9.0)
    """

    def __init__(self, field: Field, shape: tuple[int, ...]) -> None:
        self._field = field
        self._step = max(1, 1 + isqrt(max(prod(shape) - 1, 0) // _SAMPLE))
        self._parts: dict[int, Counted] = {}
        self._lock = threading.Lock()

    def add(
        self,
        number: int,
        row0: int,
        col0: int,
        packed: NDArray[Any],
        seen: Seen | None = None,
        total: float | None = None,
    ) -> None:
        """Take one chunk.

        Parameters
        ----------
        number : int
            Of the chunk; a chunk that comes again replaces itself.
        row0, col0 : int
            Its first row and column.
        packed : stored dtype, (y, x), without cells beyond the grid's edge
        seen : Seen, optional
            Where somebody has looked at it.
        total : float, optional
            The sum of its valid cells, where somebody has made it.
        """
        seen = seen or look(self._field, packed)
        step, good = self._step, seen.good
        thin = (slice(-row0 % step, None, step), slice(-col0 % step, None, step))
        part = None
        if seen.count:
            total = total_of(packed, seen) if total is None else total
            sample = packed[thin].ravel() if good is None else packed[thin][good[thin]]
            part = seen.count, float(seen.low), float(seen.high), total, sample.copy()
        with self._lock:
            self._parts.pop(number, None)
            if part is not None:
                self._parts[number] = part

    @property
    def parts(self) -> Mapping[int, Counted]:
        """Of each chunk with valid cells, for :meth:`take`."""
        return self._parts

    def take(self, parts: Mapping[int, Counted]) -> None:
        """Take chunks that were counted elsewhere."""
        with self._lock:
            self._parts.update(parts)

    def summary(self) -> Summary | None:
        """Everything together; None where no cell is valid."""
        if not self._parts:
            return None
        parts = [self._parts[number] for number in sorted(self._parts)]
        low, high = min(one[1] for one in parts), max(one[2] for one in parts)
        sample = np.concatenate([one[4] for one in parts])
        if not sample.size:
            sample = np.array([low, high])
        return Summary(
            sum(one[0] for one in parts), low, high, sum(one[3] for one in parts), _sketch(sample)
        )


def merged(first: Summary | None, second: Summary | None) -> Summary | None:
    """The summary of two sets of values together; None stands for no value.

    Examples
    --------
    >>> low, high = np.arange(100), np.arange(100, 200)
    >>> both = merged(
    ...     Summary(100, 0, 99, 4950, Histogram.of(low, 0)),
    ...     Summary(100, 100, 199, 14950, Histogram.of(high, 0)))
    >>> both.count, both.maximum, both.quantiles[3]
    (200, 199, 100.0)
    """
    if first is None or second is None:
        return first or second
    return Summary(
        first.count + second.count,
        min(first.minimum, second.minimum),
        max(first.maximum, second.maximum),
        first.total + second.total,
        first.sample.plus(second.sample, _BINS),
    )


def without(whole: Summary | None, part: Summary | None) -> Summary | None:
    """The summary of what stays when a part is taken away; the extremes stay as bounds.

    None where nothing is left.
    """
    if whole is None or part is None:
        return whole
    left = whole.sample.minus(part.sample)
    if whole.count <= part.count or not len(left.bins) or (left.counts < 0).any():
        return None if whole.count <= part.count else whole
    return Summary(
        whole.count - part.count, whole.minimum, whole.maximum, whole.total - part.total, left
    )


def _sketch(sample: NDArray[Any]) -> Histogram:
    """A histogram of a few bins: fine where most values are, however far some of them lie."""
    if sample.dtype.kind in "iu":
        return _counted_out(sample).at_most(_SLICE_BINS)
    ordered = np.sort(sample).astype(np.float64)
    picked = ordered[_evenly(len(ordered))]
    picked = picked[_firsts(picked)]
    width = float(np.diff(picked).min()) if len(picked) > 1 else 0.0
    # a value that stands alone is kept as exactly as can be
    exponent = frexp(width or abs(float(picked[0])))[1] - (1 if width else 52)
    return Histogram.of_ascending(ordered, exponent, _SLICE_BINS)


@lru_cache(maxsize=16)
def _evenly(count: int) -> NDArray[np.intp]:
    """Places among so many, as far apart as can be."""
    return np.linspace(0, count - 1, 2 * _SLICE_BINS).astype(int)


def _floored(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Numbers of the bins of width 2^exponent that hold values."""
    with np.errstate(over="ignore"):
        bins = np.ldexp(values, -exponent)
    np.floor(bins, out=bins)
    found: NDArray[np.float64] = np.clip(bins, -_FAR, _FAR, out=bins)
    return found


def _firsts(ascending: NDArray[Any]) -> NDArray[np.intp]:
    """Where each number occurs first."""
    return np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))


def _doublings(bins: int, number: int) -> int:
    """How often bins must at least be doubled to be so few: each leaves half of them or more."""
    return (-(-bins // max(number, 1)) - 1).bit_length()


def _counted_out(sample: NDArray[Any]) -> Histogram:
    """Whole numbers in bins of one; without sorting them where they lie together."""
    low, high = int(sample.min()), int(sample.max())
    if high - low > 1 << 16 or max(-low, high) >= 1 << 53:
        return Histogram.of(sample, 0)
    counts = np.bincount(sample.astype(np.int64) - low)
    found = np.flatnonzero(counts)
    return Histogram(0, (found + low).astype(np.float64), counts[found].astype(np.int64))


def _summed(exponent: int, bins: NDArray[np.float64], counts: NDArray[np.int64]) -> Histogram:
    """Each bin once, without the empty ones."""
    once, places = np.unique(bins, return_inverse=True)
    sums = np.zeros(len(once), np.int64)
    np.add.at(sums, places, counts)
    return Histogram(exponent, once[sums != 0], sums[sums != 0])
