"""Answers that are known by their URL, so that they are given at once, without a thread.

What is known of a URL is its entity tag and the headers, as of a version of the catalogue; it is
true as long as that version is the newest. The bytes are in the context's ``bodies``, which more
than one URL and version share: after a commit a URL has to be understood anew, but what the commit
has not touched is not drawn again.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from services.app.access import Subject

type Lines = tuple[tuple[bytes, bytes], ...]
"""Header lines as they are sent."""

MOST_BYTES = 8 << 20
_ENTRY = 2000  # bytes of an entry beside its key


class UrlKey(NamedTuple):
    """All of a GET request that decides a lasting answer.

    Parameters
    ----------
    path : str, as sent, decoded
    query : bytes, as sent
    public : (base URL, prefix)
    gzip : bool, whether the client takes it
    """

    path: str
    query: bytes
    public: tuple[str, str]
    gzip: bool

    @property
    def nbytes(self) -> int:
        """About what it takes in memory, with what is known under it."""
        return len(self.path) + len(self.query) + _ENTRY


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the answer to a URL.

    Parameters
    ----------
    version : str, of the catalogue
    tag : str, strong entity tag
    body : key of the bytes
    whole : header lines of the 200; None where only a 304 was ever sent
    bare : header lines of the 304
    subject : Subject
    """

    version: str
    tag: str
    body: Hashable
    whole: Lines | None
    bare: Lines
    subject: Subject


class KnownAnswers:
    """The most recently used; for one thread, that of the event loop.

    Parameters
    ----------
    processes : int, how many share the memory for it
    """

    def __init__(self, processes: int = 1) -> None:
        self._most = MOST_BYTES // processes
        self._known: OrderedDict[UrlKey, Known] = OrderedDict()
        self._nbytes = 0

    def find(self, key: UrlKey, version: str) -> Known | None:
        """What is known of a URL at a version."""
        known = self._known.get(key)
        if known is None or known.version != version:
            return None
        self._known.move_to_end(key)
        return known

    def keep(self, key: UrlKey, known: Known) -> None:
        """Note it, in place of what was known; the whole headers are not forgotten for a 304."""
        before = self._known.pop(key, None)
        if before is None:
            self._nbytes += key.nbytes
        elif known.whole is None and (before.version, before.tag) == (known.version, known.tag):
            known = before
        self._known[key] = known
        while self._nbytes > self._most:
            dropped, _ = self._known.popitem(last=False)
            self._nbytes -= dropped.nbytes
