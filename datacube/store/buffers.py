"""Memory for decoded chunks that is used again.

A chunk in fresh memory costs several times its decoding: the system has to find and clear every
page of it. What a cache drops is therefore kept for the next chunk of that size, and what is new
is asked of the system in huge pages, for several chunks at once; where there are none, at least not
page by page. None of it goes through ``malloc``, whose arenas would grow by chunks that live long
between values that do not.
"""

import ctypes
import mmap
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Stored = bytes | NDArray[np.uint8]
"""The bytes of a chunk as they are stored."""

type Room = Callable[[int], NDArray[np.uint8]]
"""A number of bytes -> writable memory for them, of any content."""

SMALLEST = 64 << 10
"""Bytes of a chunk from which it pays; below, numpy's own memory is as good."""

DEFAULT_SPARE_BYTES = 8 << 20

_PAGE = 4096
_FIELD = 16 << 20  # bytes that are asked for at once
_HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_unset_bytes = ctypes.pythonapi.PyByteArray_FromStringAndSize  # of no string: nothing is put in
_unset_bytes.restype = ctypes.py_object
_unset_bytes.argtypes = (ctypes.c_char_p, ctypes.c_ssize_t)


def fresh(size: int) -> NDArray[np.uint8]:
    """New memory."""
    return np.empty(size, np.uint8)


def unset_bytes(size: int) -> bytearray:
    """New memory as a bytearray of any content: to clear it would cost as much as to fill it.

    Examples
    --------
    >>> len(unset_bytes(100_000))
    100000
    """
    made: bytearray = _unset_bytes(None, size)
    return made


def taken_bytes(size: int) -> int:
    """Bytes that :class:`Buffers` takes for so many.

    Examples
    --------
    >>> taken_bytes(100), taken_bytes(100_000)
    (100, 102400)
    """
    return size if size < SMALLEST else -(-size // _PAGE) * _PAGE


class Buffers:
    """Memory of chunks, given back when nobody looks at it any more.

    Parameters
    ----------
    spare_bytes : int
        Up to so many bytes that nobody uses are held for the next chunks; the rest goes back to
        the system.

    Examples
    --------
    >>> buffers = Buffers()
    >>> chunk = buffers.room(100_000)
    >>> chunk[:] = 7
    >>> part = chunk.view("int16")[:5]
    >>> del chunk
    >>> buffers.spare, part[0]
    (0, np.int16(1799))
    >>> del part
    >>> buffers.spare
    102400
    """

    def __init__(self, spare_bytes: int = DEFAULT_SPARE_BYTES) -> None:
        self._most = spare_bytes
        self._lock = threading.Lock()
        self._free: OrderedDict[int, list[_Block]] = OrderedDict()
        self._empty: dict[int, list[_Block]] = {}
        self._held = 0
        self._returned: deque[_Block] = deque()

    def room(self, size: int) -> NDArray[np.uint8]:
        """Writable memory of any content; it is held as long as an array over it is.

        Parameters
        ----------
        size : int, bytes
        """
        if size < SMALLEST:
            return fresh(size)
        block = self._found(taken_bytes(size))
        return np.frombuffer(_Loan(block, self._give), np.uint8, size)

    @property
    def spare(self) -> int:
        """Bytes that are held and not used."""
        with self._lock:
            self._settle()
            return self._held

    def _found(self, size: int) -> "_Block":
        with self._lock:
            self._settle()
            blocks = self._free.get(size)
            if blocks:
                self._free.move_to_end(size)
                self._held -= size
                return blocks.pop()
            if size <= _FIELD // 2 and _has_huge_pages():
                empty = self._empty.setdefault(size, [])
                if not empty:
                    empty.extend(_field(size))
                return empty.pop()
        return _Block(mmap.mmap(-1, size, **_mapping(populate=True)), 0, size)

    def _give(self, block: "_Block") -> None:
        # may run anywhere, even where this thread holds the lock: nothing here waits for it
        self._returned.append(block)
        if self._lock.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._lock.release()

    def _settle(self) -> None:
        """Sort what has come back; what is too much goes, the size first that is asked for least.

        The lock is held.
        """
        while self._returned:
            block = self._returned.popleft()
            self._free.setdefault(block.size, []).append(block)
            self._held += block.size
        while self._held > self._most:
            size, spare = next(iter(self._free.items()))
            if spare:
                block = spare.pop()
                self._held -= size
                if block.emptied():
                    self._empty.setdefault(size, []).append(block)
            else:
                del self._free[size]


@dataclass(frozen=True, slots=True)
class _Block:
    """Some bytes of pages, or all of them."""

    pages: mmap.mmap
    start: int
    size: int

    def emptied(self) -> bool:
        """Give its memory back to the system; whether its place is still to be had.

        Not where it is all of the pages, which go with the last look at them.
        """
        if self.size == len(self.pages):
            return False
        with suppress(OSError):
            self.pages.madvise(mmap.MADV_DONTNEED, self.start, self.size)
        return True


def _field(size: int) -> list[_Block]:
    """Blocks of a size that lie side by side, the last one first; none has memory yet."""
    count = _FIELD // size
    pages = mmap.mmap(-1, count * size, **_mapping(populate=False))
    with suppress(OSError):
        pages.madvise(mmap.MADV_HUGEPAGE)
    return [_Block(pages, number * size, size) for number in reversed(range(count))]


@lru_cache(maxsize=1)
def _has_huge_pages() -> bool:
    """Whether the system gives huge pages to those who ask."""
    try:
        return "[never]" not in _HUGE.read_text() and hasattr(mmap, "MADV_HUGEPAGE")
    except OSError:
        return False


class _Loan:
    """A block while arrays look at it."""

    __slots__ = ("_block", "_give")

    def __init__(self, block: _Block, give: Callable[[_Block], None]) -> None:
        self._block = block
        self._give = give

    def __buffer__(self, flags: int, /) -> memoryview:
        block = self._block
        return memoryview(block.pages)[block.start : block.start + block.size]

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self._give(self._block)


def _mapping(*, populate: bool) -> dict[str, Any]:
    """Private memory, its pages made at once where that is wanted and the system can."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return {}
    now = getattr(mmap, "MAP_POPULATE", 0) if populate else 0
    return {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | now}
