"""Memory that is free but not given back: most of what a long ingest would otherwise hold.

Chunks come and go on several threads, and the little that stays of each (statistics, sums) keeps
the C library from using their places again, so that it grows by what is written.
"""

import ctypes
import platform

_EVERY = 64 << 20


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
