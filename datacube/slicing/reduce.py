"""Reducers by name: what becomes of many steps of time (or of another axis) in one map.

================================  ==================================================
``mean`` (avg, average)           float64
``sum`` (total)                   float64
``min`` (minimum), ``max``        dtype of the steps
``range``                         max - min, float64
``count``                         valid observations, int32, valid everywhere
``var`` (variance)                of the observations (divided by their number), float64
``std`` (stdev, stddev)           its root, float64
``median``, ``p0`` … ``p100``     numpy's ``linear``, fractions allowed, float64
``first``, ``leastrecent``        the first valid value, dtype of the steps
``last``, ``mostrecent``          the last valid value (latest), dtype of the steps
``leastcloudy``                   the valid value of the step that an expression ranks lowest
``any``, ``all``                  whether valid values are not zero, uint8
================================  ==================================================

Values that are not valid, and NaN, are no observations; a cell without any is not valid in the
result. The sum of no observations is no data too, not 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from datacube.errors import InvalidParameter
from datacube.slicing.accumulators import Accumulator, Count
from datacube.slicing.extremes import Max, Min, Range
from datacube.slicing.moments import Deviation, ExactDeviation, ExactVariance, Variance
from datacube.slicing.mosaic import AllTrue, AnyTrue, Best, First
from datacube.slicing.quantiles import Quantile, stack_bytes
from datacube.slicing.sums import Mean, Sum

type Order = Literal["ascending", "descending"]

type _Maker = Callable[[tuple[int, ...], float | None], Accumulator]

_EXACT: Mapping[str, _Maker] = MappingProxyType({"std": ExactDeviation, "var": ExactVariance})
_MAKERS: Mapping[str, _Maker] = MappingProxyType(
    {
        "mean": Mean,
        "min": Min,
        "max": Max,
        "sum": Sum,
        "count": Count,
        "std": Deviation,
        "var": Variance,
        "range": Range,
        "any": AnyTrue,
        "all": AllTrue,
        "first": First,
        "last": First,
        "leastrecent": First,
        "mostrecent": First,
        "leastcloudy": Best,
    }
)
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "avg": "mean",
        "average": "mean",
        "minimum": "min",
        "maximum": "max",
        "total": "sum",
        "variance": "var",
        "stdev": "std",
        "stddev": "std",
        "latest": "last",
    }
)
MOSAICS = frozenset({"first", "last", "leastrecent", "mostrecent", "leastcloudy"})
_KEPT = MOSAICS | {"min", "max"}
_EARLY = MOSAICS - {"leastcloudy"} | {"any", "all"}
_DESCENDING = frozenset({"last", "mostrecent", "leastcloudy"})
_DTYPES: Mapping[str, type[np.generic]] = MappingProxyType(
    {"count": np.int32, "any": np.uint8, "all": np.uint8}
)
_STATE_BYTES = 64  # of a cell: sums, counts, result and what making it needs
NAMES = (*_MAKERS, "median", "p0 … p100")


@dataclass(frozen=True, slots=True)
class Reducer:
    """How steps become one.

    Parameters
    ----------
    name : str
        As in the table above: a method's own name, or ``pN`` for a percentile; the median is
        ``median``.
    share : float, 0 … 1, of a quantile; None for everything else
    by : str, the expression that ranks the steps of ``leastcloudy``

    Examples
    --------
    >>> mean = reducer("average").start((2,))
    >>> mean.add(np.array([1.0, 2.0]), np.array([True, True]))
    >>> mean.add(np.array([3.0, 9.0]), np.array([True, False]))
    >>> values, valid = mean.result()
    >>> values.tolist(), valid.tolist(), mean.count.tolist()
    ([2.0, 2.0], [True, True], [2, 1])
    """

    name: str
    share: float | None = None
    by: str = ""

    @property
    def order(self) -> Order:
        """How steps are to be fed: from the oldest, or from the newest."""
        return "descending" if self.name in _DESCENDING else "ascending"

    @property
    def stacked(self) -> bool:
        """Whether all steps are kept until the end, so that memory grows with their number."""
        return self.share is not None

    @property
    def mosaic(self) -> bool:
        """Whether a result is made of observations as they are: one step for each cell."""
        return self.name in MOSAICS

    @property
    def early(self) -> bool:
        """Whether results may be known before the last step, which is not read then."""
        return self.name in _EARLY

    @property
    def ranked(self) -> bool:
        """Whether each step comes with ranks."""
        return self.name == "leastcloudy"

    @property
    def effort(self) -> int:
        """About how many times as long as a sum it takes for a cell."""
        if self.stacked:
            return 8
        return 3 if self.name in {"std", "var", "any", "all", "leastcloudy"} else 1

    def start(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any] | None = None,
        nil: float | None = None,
    ) -> Accumulator:
        """An accumulator for steps of one shape, such as (y, x).

        Parameters
        ----------
        shape : of every step
        dtype : of the steps, where it is known: small integers are squared exactly
        nil : number, optional
            Value of the steps that is no observation.
        """
        if self.share is not None:
            return Quantile(shape, self.share, nil)
        small = dtype is not None and dtype.kind in "iub" and dtype.itemsize <= 2
        makers = _EXACT if small and self.name in _EXACT else _MAKERS
        return makers[self.name](shape, nil)

    def dtype_of(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """The dtype of the result of steps of a dtype.

        Examples
        --------
        >>> short = np.dtype("int16")
        >>> [str(reducer(name).dtype_of(short)) for name in ("max", "mean", "count")]
        ['int16', 'float64', 'int32']
        """
        if self.name in _KEPT:
            return np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
        return np.dtype(_DTYPES.get(self.name, np.float64))

    def stack_bytes(
        self, steps: int, shape: tuple[int, ...], dtype: np.dtype[Any] | None = None
    ) -> int:
        """Bytes that the accumulator needs at most, beside the step that is fed.

        Parameters
        ----------
        steps : int, how many are to come; matters where stacked only
        shape : of a step, or of the band of rows that is reduced at a time
        dtype : of the steps; float64 where not given
        """
        dtype = dtype or np.dtype(np.float64)
        if self.stacked:
            return stack_bytes(steps, shape, dtype)
        return prod(shape) * _STATE_BYTES + 2**20


def reducer(name: str, *, subject: str = "aggregation", by: str = "") -> Reducer:
    """The reducer of a name, whatever its case; ``-`` and ``_`` in it do not count.

    Parameters
    ----------
    name : str, such as ``mean``, ``p95``, ``p99.5`` or ``mostRecent``
    subject : str, what the user calls the parameter
    by : str, the expression of a ranking reducer; others have none

    Raises
    ------
    InvalidParameter
        There is none of that name.

    Examples
    --------
    >>> reducer("mostRecent").order, reducer("P90").share, reducer("latest").name
    ('descending', 0.9, 'last')
    >>> reducer("p101")
    Traceback (most recent call last):
    datacube.errors.InvalidParameter: 'p101' is no way to reduce; write one of mean, min, max, \
sum, count, std, var, range, any, all, first, last, leastrecent, mostrecent, leastcloudy, \
median, p0 … p100
    """
    written = name.strip().lower()
    text = written.replace("-", "").replace("_", "")
    text = _ALIASES.get(text, text)
    if text == "median":
        return Reducer("median", 0.5)
    if text in _MAKERS:
        return Reducer(text, by=by if text == "leastcloudy" else "")
    percent = _percent(written)
    if percent is None:
        raise InvalidParameter(
            f"'{name[:40]}' is no way to reduce; write one of {', '.join(NAMES)}", subject=subject
        )
    return Reducer(f"p{percent:.12g}", percent / 100)


def _percent(text: str) -> float | None:
    digits = text.removeprefix("p")
    if digits == text or len(digits) > 20 or not digits.replace(".", "", 1).isdecimal():
        return None
    percent = float(digits)
    return percent if percent <= 100 else None
