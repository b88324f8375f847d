"""The times of a committed cube: which slot and which document each has.

A cube may have a hundred thousand of them, and every process that serves it holds them all: as
columns they take a tenth of what as many objects take.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple, overload, override

import numpy as np

type Bounds = tuple[int, int] | None

_MANY = 1024  # from which on it pays


class Slice(NamedTuple):
    """One committed time of a cube.

    Parameters
    ----------
    ticks : int or None
        None in a cube without time.
    slot : int
        Physical index along the arrays' first dimension.
    name : str
        Of the slice document: ``<slot>-<digest>``.
    bounds : (first, last) ticks, optional
    layout : int
        Which key encoding its chunks have.
    """

    ticks: int | None
    slot: int
    name: str
    bounds: Bounds = None
    layout: int = 0


class Slices(Sequence[Slice]):
    """Many slices, each made when it is asked for.

    Parameters
    ----------
    table : mapping
        Columns of equal length: ``ticks``, ``slots``, ``names``, ``bounds`` and ``layouts``. All or
        none have bounds.

    Examples
    --------
    >>> columns = {"ticks": [0, 5], "slots": [1, 0], "bounds": [None, None], "layouts": [0, 0]}
    >>> slices = Slices({"names": ["00000001-ab", "00000000-cd"], **columns})
    >>> slices[-1], len(slices)
    (Slice(ticks=5, slot=0, name='00000000-cd', bounds=None, layout=0), 2)
    """

    __slots__ = ("_bounds", "_layouts", "_names", "_slots", "_ticks")

    def __init__(self, table: Mapping[str, Sequence[Any]]) -> None:
        self._ticks = np.array(table["ticks"], np.int64)
        self._slots = np.array(table["slots"], np.int64)
        self._names = np.array([name.encode() for name in table["names"]])
        self._layouts = np.array(table["layouts"], np.int32)
        some = any(pair is not None for pair in table["bounds"])
        self._bounds = np.array(table["bounds"], np.int64).reshape(-1, 2) if some else None
        lengths = {len(column) for column in table.values()}
        if len(lengths) != 1:
            raise ValueError(f"columns of slices have lengths {sorted(lengths)}")

    @override
    def __len__(self) -> int:
        return len(self._ticks)

    @overload
    def __getitem__(self, index: int) -> Slice: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Slice, ...]: ...

    @override
    def __getitem__(self, index: int | slice) -> Slice | tuple[Slice, ...]:
        if isinstance(index, slice):
            return tuple(self._rows(index))
        pair = None if self._bounds is None else self._bounds[index].tolist()
        return Slice(
            int(self._ticks[index]),
            int(self._slots[index]),
            self._names[index].decode(),
            None if pair is None else (pair[0], pair[1]),
            int(self._layouts[index]),
        )

    @override
    def __iter__(self) -> Iterator[Slice]:
        return self._rows(slice(None))

    def _rows(self, part: slice) -> Iterator[Slice]:
        bounds = repeat(None) if self._bounds is None else map(tuple, self._bounds[part].tolist())
        return map(
            Slice._make,
            zip(
                self._ticks[part].tolist(),
                self._slots[part].tolist(),
                map(bytes.decode, self._names[part].tolist()),
                bounds,
                self._layouts[part].tolist(),
                strict=False,
            ),
        )


def load_slices(table: Mapping[str, Any]) -> Sequence[Slice]:
    """The slices of a version document.

    Parameters
    ----------
    table : mapping
        As of :class:`Slices`; without ``layouts`` they are 0.

    Raises
    ------
    ValueError
        The columns have different lengths.
    """
    columns = {name: table[name] for name in ("ticks", "slots", "names", "bounds")}
    columns["layouts"] = table.get("layouts") or [0] * len(table["ticks"])
    lacking = sum(pair is None for pair in columns["bounds"])
    if len(table["ticks"]) >= _MANY and lacking in {0, len(columns["bounds"])}:
        return Slices(columns)
    bounds = [None if pair is None else (pair[0], pair[1]) for pair in columns["bounds"]]
    rows = zip(*{**columns, "bounds": bounds}.values(), strict=True)
    return tuple(map(Slice._make, rows))
