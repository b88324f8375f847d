"""How a process takes memory from the system and gives it back.

The C library returns large blocks to the system as soon as they are free, so that a third of the
time goes into clearing the same pages for the next chunk or picture. What is free is kept instead,
and given back now and then where it is much. The library also gives each thread an arena of its
own: with many threads that make pictures, memory is held several times over, which one arena cures.
Nothing is done where the C library is another one than glibc, or the environment says what it shall
do.
"""

import ctypes
import os
import platform
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h
_KEPT, _LARGEST = 64 << 20, 32 << 20
_SPARE = 16 << 20

KEEPING = {"MALLOC_TRIM_THRESHOLD_": str(_KEPT), "MALLOC_MMAP_THRESHOLD_": str(_LARGEST)}
"""What an environment says for :func:`keep_freed` in a child process."""


class _MallInfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def keep_freed(arenas: int | None = None) -> bool:
    """Let this process keep what is free for what comes next; before threads are begun.

    :class:`Thrift` and :func:`give_back` bound what is kept.

    Parameters
    ----------
    arenas : int, optional
        How many there are at most, for all threads.

    Returns
    -------
    bool
        Whether the C library was told.
    """
    library = _glibc()
    said = any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in os.environ)
    if library is None or said:
        return False
    wanted = {_MMAP_THRESHOLD: _LARGEST, _TRIM_THRESHOLD: _KEPT}
    wanted |= {} if arenas is None else {_ARENA_MAX: arenas}
    return all(library.mallopt(option, value) == 1 for option, value in wanted.items())


def give_back(spare: int = _SPARE) -> int:
    """Return unused memory to the system where it is more than so many bytes.

    Returns
    -------
    int
        Bytes that were unused; 0 where it cannot be known.
    """
    library = _glibc()
    if library is None or not hasattr(library, "mallinfo2"):
        return 0
    library.mallinfo2.restype = _MallInfo
    unused = int(library.mallinfo2().fordblks)
    if unused > spare:
        library.malloc_trim(0)
    return unused


class Thrift:
    """Gives unused memory back to the system after so many bytes; does nothing without glibc.

    The little that stays of each chunk that comes and goes on several threads (statistics, sums)
    keeps the C library from using their places again, so that it would grow by what is written.

    Examples
    --------
    >>> thrift = Thrift()
    >>> thrift.used(1000)
    """

    def __init__(self) -> None:
        self._library = _glibc()
        self._since = 0

    def used(self, size: int) -> None:
        """Note that so many bytes have gone through."""
        self._since += size
        if self._since >= _KEPT and self._library is not None:
            self._since = 0
            self._library.malloc_trim(0)


def _glibc() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
