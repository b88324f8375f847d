"""How the process takes memory from the system and gives it back.

The C library gives each thread an arena of its own and returns large blocks to the system as soon
as they are free: with many threads that make pictures, memory is held several times over, and a
third of the time goes into clearing pages. Two arenas, from which blocks of any usual size come,
and a look now and then at what they hold unused cure both. Nothing is done where the C library is
another one than glibc, or the environment says what it shall do.
"""

import ctypes
import os
import platform
from typing import Any

PAUSE = 5.0
"""Seconds between two looks."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h
_SETTINGS = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20, _ARENA_MAX: 2}
_SPARE = 32 << 20


class _MallInfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def settle() -> bool:
    """Tell the C library how to hold memory; before threads are begun.

    Returns
    -------
    bool
        Whether it was told.
    """
    library = _glibc()
    if library is None or "GLIBC_TUNABLES" in os.environ:
        return False
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    return all(library.mallopt(option, value) == 1 for option, value in _SETTINGS.items())


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


def _glibc() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
