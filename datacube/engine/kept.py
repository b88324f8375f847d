"""Tiles kept beyond the memory of a process: in a folder or bucket that all processes share.

A tile is kept under its entity tag, which names everything that it is made of; so none ever grows
stale, and what a commit has replaced is merely never asked for again. Each is written whole or not
at all and carries a checksum. Nobody keeps a count, which processes could not share: each looks
now and then at what all have written, and the oldest go in time for what the others may write until
they look. Where the cache cannot be read or written, tiles are drawn as if there were none.
"""

import logging
import threading
from collections.abc import Callable
from zlib import crc32

from datacube.errors import StorageError
from datacube.store.objects import ObjectStore

LOGGER = logging.getLogger("datacube.server")
LARGEST = 1 << 20
"""Bytes of a picture above which it is no tile and is not kept."""

_FOLDER = "tiles"
_SHARE = 40  # each time that such a part of what may be kept was written, it is looked at
_FULL = 0.9  # of it from which on the oldest go: the rest is room for four that write
_LEFT = 0.8  # of it after that


class KeptTiles:
    """A bounded cache of bodies by entity tag; safe between threads and processes.

    Parameters
    ----------
    store : ObjectStore
    most : int, bytes

    Examples
    --------
    >>> import tempfile
    >>> from datacube.store.url import open_store
    >>> kept = KeptTiles(open_store(tempfile.mkdtemp()), 1_000_000)
    >>> kept.get('"0a1b"', lambda: b"drawn"), kept.get('"0a1b"', lambda: b"drawn again")
    (b'drawn', b'drawn')
    """

    def __init__(self, store: ObjectStore, most: int) -> None:
        self._store = store
        self._most = most
        self._lock = threading.Lock()
        self._written = most  # what others have left is looked at with the first tile
        self._found = self._dropped = 0

    @property
    def remote(self) -> bool:
        """Whether looking for a tile crosses a network."""
        return not self._store.is_local

    @property
    def found(self) -> int:
        """How many were there when this one looked for them."""
        return self._found

    @property
    def dropped(self) -> int:
        """How many this one has deleted for want of room."""
        return self._dropped

    def get(self, tag: str, make: Callable[[], bytes]) -> bytes:
        """The body of a tag: as it is kept, else made now and kept."""
        key = f"{_FOLDER}/{tag[1:3]}/{tag.strip('"')}"
        try:
            found = self._store.get(key)
        except StorageError as error:
            LOGGER.warning("the tile cache cannot be read: %s", error)
            return make()
        if found is not None and (body := _checked(found)) is not None:
            with self._lock:
                self._found += 1
            return body
        body = make()
        if len(body) <= LARGEST:
            self._keep(key, body)
        return body

    def _keep(self, key: str, body: bytes) -> None:
        try:
            self._store.put(key, crc32(body).to_bytes(4) + body)
            with self._lock:
                self._written += len(body)
                full = self._written > self._most // _SHARE
                if full:
                    self._written = 0
            if full:
                self._trim()
        except StorageError as error:
            LOGGER.warning("the tile cache cannot be written: %s", error)

    def _trim(self) -> None:
        """Delete the oldest where there are too many."""
        listed = sorted(self._store.listing(_FOLDER), key=lambda one: one.written)
        held = sum(one.bytes for one in listed)
        if held <= self._most * _FULL:
            return
        gone = []
        for one in listed:
            if held <= self._most * _LEFT:
                break
            held -= one.bytes
            gone.append(one.key)
        self._store.delete(gone)
        with self._lock:
            self._dropped += len(gone)


def _checked(found: bytes) -> bytes | None:
    """The body, where it is whole."""
    body = found[4:]
    return body if len(found) >= 4 and crc32(body).to_bytes(4) == found[:4] else None
