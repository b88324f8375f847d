"""Cells along one axis: those of the places of a target, and how they are read chunk by chunk."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

IndexArray = NDArray[np.intp]
type Picker = slice | IndexArray


@dataclass(frozen=True, slots=True)
class Run:
    """Target places start … stop - 1 along one axis that lie in one chunk.

    Parameters
    ----------
    chunk : int, index of the chunk along the axis
    target : slice of the target axis
    source : slice or intp array, places within the chunk; a slice where they are contiguous
    """

    chunk: int
    target: slice
    source: Picker


@dataclass(frozen=True, eq=False)
class Along:
    """Cells along one axis of a separable map, and what is found of them once.

    Parameters
    ----------
    cells : intp, (n,), source cell of each target place, -1 outside
    runs : those of :func:`~datacube.slicing.plan.runs`, by length of the chunks

    Examples
    --------
    >>> short, places = Along(np.array([-1, 4, 4, 5])).distinct
    >>> short.cells.tolist(), places.tolist()
    ([-1, 4, 5], [0, 1, 1, 2])
    """

    cells: IndexArray
    runs: dict[int, tuple[Run, ...]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def distinct(self) -> "tuple[Along, IndexArray]":
        """The cells without those that repeat the one before, and which of them each place has."""
        new = np.ones(len(self.cells), bool)
        np.not_equal(self.cells[1:], self.cells[:-1], out=new[1:])
        return Along(self.cells[new]), np.cumsum(new) - 1

    @cached_property
    def span(self) -> slice | None:
        """All cells from the first to the last, where each place has the next; else None."""
        return None if len(self.cells) and self.cells[0] < 0 else unbroken(self.cells)

    def part(self, places: slice) -> "Along":
        """The cells of some places, from the first to before the last.

        Examples
        --------
        >>> Along(np.array([4, 5, 6])).part(slice(1, 3)).span
        slice(5, 7, None)
        """
        if places == slice(0, len(self.cells)):
            return self
        part = Along(self.cells[places])
        if self.span is not None:
            begin = self.span.start
            part.__dict__["span"] = slice(begin + places.start, begin + places.stop)
        return part

    @cached_property
    def gaps(self) -> bool:
        """Whether some places lie outside."""
        return self.span is None and bool(self.cells.min(initial=0) < 0)


def unbroken(cells: IndexArray) -> slice | None:
    """Numbers as a slice where each is the next one; None where they are not, or are none.

    Examples
    --------
    >>> unbroken(np.array([3, 4, 5])), unbroken(np.array([3, 5, 5]))
    (slice(3, 6, None), None)
    """
    if not len(cells):
        return None
    first, last = int(cells[0]), int(cells[-1])
    if last - first != len(cells) - 1 or not (cells[1:] - cells[:-1] == 1).all():
        return None
    return slice(first, last + 1)
