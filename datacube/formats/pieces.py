"""Files that are sent while they are made: pieces of a sensible size, and their length if known."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import override

import numpy as np
from numpy.typing import NDArray

_MOST = 2 << 20
_WHOLE = 1 << 20
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


def at_once(pieces: Iterator[bytes]) -> bytes | Iterator[bytes]:
    """What is small as one; of more what has been made so far, and then the other pieces.

    Examples
    --------
    >>> at_once(iter([b"one", b"two"]))
    b'onetwo'
    """
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > _WHOLE:
            return resumed(held, pieces)
    return b"".join(held)


def resumed(made: Iterable[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
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


def cut(values: NDArray[np.generic]) -> Iterator[bytes]:
    """The bytes of an array in C order, in pieces of at most 2 MiB.

    Examples
    --------
    >>> [list(piece) for piece in cut(np.array([[1, 2]], "<u2"))]
    [[1, 0, 2, 0]]
    """
    whole = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    for start in range(0, whole.size, _MOST):
        yield whole[start : start + _MOST].tobytes()


def gathered(head: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces behind a head, small ones joined; the first values are there before it is.

    Examples
    --------
    >>> list(gathered(b"head", [b"one", b"two"]))
    [b'headonetwo']
    """
    held, size = [head], 0
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
