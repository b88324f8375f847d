"""Files that are sent while they are made: pieces of a sensible size, and their length if known."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import override

import numpy as np
from numpy.typing import NDArray

type Piece = bytes | bytearray
"""Some bytes of a file, which belong to whoever is given them."""

_MOST = 2 << 20
_WHOLE = 1 << 20
_LEAST = 1 << 18
_GIVEN = 4 << 20


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

    pieces: Iterator[Piece]
    length: int | None = None

    def __iter__(self) -> Iterator[Piece]:
        """The pieces."""
        return self.pieces


def together(made: Streamed) -> bytes | Streamed:
    """A file that is small as one; a larger one stays in pieces, so that it is not held twice.

    Examples
    --------
    >>> together(Streamed(iter([b"one", b"two"]), 6))
    b'onetwo'
    """
    if made.length is None or made.length > _WHOLE:
        return made
    return b"".join(made.pieces)


def at_once[T: Piece](pieces: Iterator[T]) -> bytes | Iterator[T]:
    """What is small as one; of more what has been made so far, and then the other pieces.

    Examples
    --------
    >>> at_once(iter([b"one", b"two"]))
    b'onetwo'
    """
    held: list[T] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > _WHOLE:
            return resumed(held, pieces)
    return b"".join(held)


def resumed[T: Piece](made: Iterable[T], rest: Iterator[T]) -> Iterator[T]:
    """Pieces that are made already, and then the others."""
    yield from made
    yield from rest


def part_of_file(path: Path, start: int, length: int) -> Streamed:
    """Some bytes of a file, which may be deleted once this has returned."""
    return Streamed(FilePieces(path, start, length), length)


class FilePieces(Iterator[bytes]):
    """Bytes of a file in pieces; closed at the end, or when nobody wants it any more.

    The file may be deleted once this is made.

    Parameters
    ----------
    path : Path
    start, length : int
        The first byte, and how many.
    kept : Path, optional
        Where the whole file lies for whoever would rather have it than its bytes; it is deleted
        when these are read.
    """

    def __init__(self, path: Path, start: int, length: int, *, kept: Path | None = None) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY)
        os.lseek(self._descriptor, start, os.SEEK_SET)
        self._left = length
        self.kept = kept

    @override
    def __next__(self) -> bytes:
        if self.kept is not None:
            self.kept.unlink(missing_ok=True)
            self.kept = None
        most = min(self._left, _MOST)
        piece = b"" if self._descriptor < 0 else os.read(self._descriptor, most)
        if not piece:
            self.close()
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Let the file go."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


def cut(values: NDArray[np.generic]) -> Iterator[Piece]:
    """The bytes of an array in C order, in pieces of at most 2 MiB.

    An array that takes up all of a bytearray of at most 4 MiB is given as that, without a copy.

    Examples
    --------
    >>> [list(piece) for piece in cut(np.array([[1, 2]], "<u2"))]
    [[1, 0, 2, 0]]
    """
    held = _held(values)
    if held is not None and len(held) <= _GIVEN:
        yield held
        return
    whole = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    for start in range(0, whole.size, _MOST):
        yield whole[start : start + _MOST].tobytes()


def _held(values: NDArray[np.generic]) -> bytearray | None:
    """The memory of an array, where that is a bytearray and the array is all of it, as it lies."""
    owner: object = values
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if not (isinstance(owner, bytearray) and values.flags.c_contiguous):
        return None
    return owner if len(owner) == values.nbytes else None


def gathered[T: Piece](head: Piece, pieces: Iterable[T]) -> Iterator[T | bytes]:
    """The pieces behind a head, small ones joined; the first values are there before it is.

    Examples
    --------
    >>> list(gathered(b"head", [b"one", b"two"]))
    [b'headonetwo']
    """
    held: list[Piece] = [head]
    size = 0
    for piece in pieces:
        if len(piece) >= _LEAST:  # not copied once more
            if any(held):
                yield b"".join(held)
            yield piece
            held, size = [], 0
            continue
        held.append(piece)
        size += len(piece)
        if size >= _LEAST:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
