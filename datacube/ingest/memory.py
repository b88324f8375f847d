"""Memory that is free but not given back: most of what a long ingest would otherwise hold.

Chunks come and go on several threads, and the little that stays of each (statistics, sums) keeps
the C library from using their places again, so that it grows by what is written.
"""

import ctypes
import os
import platform

_EVERY = 64 << 20
_LARGE = 32 << 20
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)

KEEPING = {"MALLOC_TRIM_THRESHOLD_": str(_EVERY), "MALLOC_MMAP_THRESHOLD_": str(_LARGE)}
"""What an environment says for :func:`keep_freed` in a child process."""


def keep_freed() -> None:
    """Let this process keep what one chunk has left for the next, for good.

    Only with glibc, and where the environment does not say how it shall hold memory.

    Pages that the system has to make anew for every chunk cost more than most of what is done in
    them. For commands that do nothing else; :class:`Thrift` bounds what is kept.
    """
    said = any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in os.environ)
    if platform.libc_ver()[0] == "glibc" and not said:
        library = ctypes.CDLL(None)
        library.mallopt(_TRIM_THRESHOLD, _EVERY)
        library.mallopt(_MMAP_THRESHOLD, _LARGE)


class Thrift:
    """Gives unused memory back to the system after so many bytes; does nothing without glibc.

    Examples
    --------
    >>> thrift = Thrift()
    >>> thrift.used(1000)
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
        self._since = 0

    def used(self, size: int) -> None:
        """Note that so many bytes have gone through."""
        self._since += size
        if self._since >= _EVERY and self._library is not None:
            self._since = 0
            self._library.malloc_trim(0)
