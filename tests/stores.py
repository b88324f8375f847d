"""Object stores that count, or that fail where a test says so."""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import override

from datacube.errors import StorageError
from datacube.store.objects import Claim, Listed, ObjectStore

_CHUNK = re.compile(r"/c(/\d+)+$")


class WrappedStore:
    """Passes everything on."""

    def __init__(self, store: ObjectStore) -> None:
        self.inner = store

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def is_local(self) -> bool:
        return self.inner.is_local

    def get(self, key: str) -> bytes | None:
        return self.inner.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return self.inner.get_range(key, start, length)

    def get_tail(self, key: str, length: int) -> bytes | None:
        return self.inner.get_tail(key, length)

    def get_tagged(self, key: str) -> tuple[bytes, str] | None:
        return self.inner.get_tagged(key)

    def put(self, key: str, data: bytes) -> None:
        self.inner.put(key, data)

    def put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        return self.inner.put_if(key, data, tag)

    def pulse(self) -> int:
        return self.inner.pulse()

    def sync(self, keys: Iterable[str]) -> None:
        self.inner.sync(keys)

    def claim(self, key: str) -> Claim | None:
        return self.inner.claim(key)

    def claimed_since(self, key: str) -> float | None:
        return self.inner.claimed_since(key)

    def list_prefixes(self, prefix: str) -> list[str]:
        return self.inner.list_prefixes(prefix)

    def list(self, prefix: str) -> list[str]:
        return self.inner.list(prefix)

    def listing(self, prefix: str) -> Sequence[Listed]:
        return self.inner.listing(prefix)

    def delete(self, keys: Iterable[str]) -> None:
        self.inner.delete(keys)


class IcechunkStore(WrappedStore):
    """Cubes that tests make in it are Icechunk repositories."""

    storage = "icechunk"


class CountingStore(WrappedStore):
    """Counts what is read.

    Attributes
    ----------
    requests : int
        Every read, chunks and documents.
    chunks_read, bytes_read : int
        Chunk objects of arrays, and their bytes.
    keys : list of str
        Keys of the chunks in order.
    """

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Begin again at zero."""
        self.requests = 0
        self.chunks_read = 0
        self.bytes_read = 0
        self.keys: list[str] = []

    @property
    def documents_read(self) -> int:
        """Reads that were no chunks."""
        return self.requests - self.chunks_read

    @override
    def get(self, key: str) -> bytes | None:
        return self._count(key, self.inner.get(key))

    @override
    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return self._count(key, self.inner.get_range(key, start, length))

    @override
    def get_tail(self, key: str, length: int) -> bytes | None:
        return self._count(key, self.inner.get_tail(key, length))

    @override
    def get_tagged(self, key: str) -> tuple[bytes, str] | None:
        found = self.inner.get_tagged(key)
        self._count(key, None if found is None else found[0])
        return found

    def _count(self, key: str, data: bytes | None) -> bytes | None:
        with self._lock:
            self.requests += 1
            if _CHUNK.search(key):
                self.chunks_read += 1
                self.bytes_read += len(data or b"")
                self.keys.append(key)
        return data


class FarStore(CountingStore):
    """Behind a network, where what is asked for at the same time comes at the same time.

    Attributes
    ----------
    listings : int
        How often folders were listed.
    claims : list of str
        What was claimed, in order.
    patience : float, seconds that the first of them wait for the others
    """

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self.listings = 0
        self.claims: list[str] = []
        self.patience = 20.0
        self.expect("$^", 0)

    @property
    @override
    def is_local(self) -> bool:
        return False

    def expect(self, kind: str, count: int) -> None:
        """Give objects of such keys only when so many of them have been asked for together."""
        self._kind, self._missing, self._all = re.compile(kind), count, threading.Event()

    @property
    def asked_together(self) -> bool:
        """Whether so many have been asked for."""
        return self._all.is_set()

    @override
    def get(self, key: str) -> bytes | None:
        self._wait(key)
        return super().get(key)

    @override
    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        self._wait(key)
        return super().get_range(key, start, length)

    @override
    def put(self, key: str, data: bytes) -> None:
        self._wait(key)
        super().put(key, data)

    @override
    def claim(self, key: str) -> Claim | None:
        self._wait(key)
        with self._lock:
            self.claims.append(key)
        return super().claim(key)

    @override
    def list_prefixes(self, prefix: str) -> list[str]:
        self.listings += 1
        return super().list_prefixes(prefix)

    def _wait(self, key: str) -> None:
        if not self._kind.search(key):
            return
        with self._lock:
            self._missing -= 1
            if self._missing <= 0:
                self._all.set()
        if not self._all.wait(self.patience):
            raise StorageError(f"{key} was asked for alone", subject=key)


class CrashingStore(WrappedStore):
    """Dies at the n-th write: that one and everything after it fails.

    Parameters
    ----------
    store : ObjectStore
    survives : int
        So many writes (puts, conditional puts, deletions) succeed.
    before : function of the key, optional
        Called before each write.
    """

    def __init__(
        self, store: ObjectStore, survives: int, before: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(store)
        self.survives = survives
        self.writes = 0
        self._before = before
        self._lock = threading.Lock()

    @property
    def dead(self) -> bool:
        """Whether it has died."""
        return self.writes > self.survives

    @override
    def put(self, key: str, data: bytes) -> None:
        self._step(key)
        self.inner.put(key, data)

    @override
    def put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        self._step(key)
        return self.inner.put_if(key, data, tag)

    @override
    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._step(key)
            self.inner.delete([key])

    def _step(self, key: str) -> None:
        if self._before is not None:
            self._before(key)
        with self._lock:
            self.writes += 1
            if self.dead:
                raise StorageError("the machine has died", subject=key)
