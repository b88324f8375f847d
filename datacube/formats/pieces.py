"""Files that are sent while they are made: pieces of a sensible size, and their length if known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST = 1 << 20
_LEAST = 1 << 18


@dataclass(frozen=True, eq=False)
class Streamed:
    """A file in pieces.

    Parameters
    ----------
    pieces : iterator of bytes
        Closing it ends the reading behind it.
    length : int or None
        Exact size of the file in bytes, where it is known beforehand.
    """

    pieces: Iterator[bytes]
    length: int | None = None

    def __iter__(self) -> Iterator[bytes]:
        """The pieces."""
        return self.pieces


def cut(values: NDArray[np.generic]) -> Iterator[bytes]:
    """The bytes of an array in C order, in pieces of at most 1 MiB.

    Examples
    --------
    >>> [list(piece) for piece in cut(np.array([[1, 2]], "<u2"))]
    [[1, 0, 2, 0]]
    """
    whole = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    for start in range(0, whole.size, _MOST):
        yield whole[start : start + _MOST].tobytes()


def gathered(head: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces behind a head, small ones joined; the first comes with values in it.

    Examples
    --------
    >>> list(gathered(b"head", [b"one", b"two"]))
    [b'headonetwo']
    """
    held, size = [head], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _LEAST:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
