"""Memory for decoded chunks that is used again.

A chunk in fresh memory costs several times its decoding: the system has to find and clear every
page of it. What a cache drops is therefore kept for the next chunk of that size, and what is new
is asked of the system at once, not page by page. None of it goes through ``malloc``, whose arenas
would grow by chunks that live long between values that do not.
"""

import mmap
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Stored = bytes | NDArray[np.uint8]
"""The bytes of a chunk as they are stored."""

type Room = Callable[[int], NDArray[np.uint8]]
"""A number of bytes -> writable memory for them, of any content."""

SMALLEST = 64 << 10
"""Bytes of a chunk from which it pays; below, numpy's own memory is as good."""

_PAGE = 4096
_SPARE = 8 << 20


def fresh(size: int) -> NDArray[np.uint8]:
    """New memory."""
    return np.empty(size, np.uint8)


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

    def __init__(self, spare_bytes: int = _SPARE) -> None:
        self._most = spare_bytes
        self._lock = threading.Lock()
        self._free: OrderedDict[int, list[mmap.mmap]] = OrderedDict()
        self._held = 0
        self._returned: deque[mmap.mmap] = deque()

    def room(self, size: int) -> NDArray[np.uint8]:
        """Writable memory of any content; it is held as long as an array over it is.

        Parameters
        ----------
        size : int, bytes
        """
        if size < SMALLEST:
            return fresh(size)
        taken = taken_bytes(size)
        pages = self._found(taken) or mmap.mmap(-1, taken, **_mapping())
        return np.frombuffer(_Loan(pages, self._give), np.uint8, size)

    @property
    def spare(self) -> int:
        """Bytes that are held and not used."""
        with self._lock:
            self._settle()
            return self._held

    def _found(self, size: int) -> mmap.mmap | None:
        with self._lock:
            self._settle()
            pages = self._free.get(size)
            if not pages:
                return None
            self._free.move_to_end(size)
            self._held -= size
            return pages.pop()

    def _give(self, pages: mmap.mmap) -> None:
        # may run anywhere, even where this thread holds the lock: nothing here waits for it
        self._returned.append(pages)
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
            pages = self._returned.popleft()
            self._free.setdefault(len(pages), []).append(pages)
            self._held += len(pages)
        while self._held > self._most:
            size, spare = next(iter(self._free.items()))
            if spare:
                spare.pop()
                self._held -= size
            else:
                del self._free[size]


class _Loan:
    """Pages while arrays look at them."""

    __slots__ = ("_give", "_pages")

    def __init__(self, pages: mmap.mmap, give: Callable[[mmap.mmap], None]) -> None:
        self._pages = pages
        self._give = give

    def __buffer__(self, flags: int, /) -> memoryview:
        return memoryview(self._pages)

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self._give(self._pages)


def _mapping() -> dict[str, Any]:
    """Private memory, its pages made at once where the system can."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return {}
    populate = getattr(mmap, "MAP_POPULATE", 0)
    return {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | populate}
