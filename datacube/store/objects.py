"""The few operations that a cube needs of a storage, and their implementation over obstore."""

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any, Protocol, runtime_checkable

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from datacube.errors import StorageError
from datacube.store.leases import LeaseClaim, leased_since

_BULK = 500
_FAILURES = (BaseError, OSError, NotImplementedError)


class Claim(Protocol):
    """The right to write one physical slot, until released."""

    @property
    def left(self) -> bool:
        """Whether somebody had it before who did not release it: something may lie there."""

    def renew(self) -> None:
        """Make sure that the claim still holds.

        Raises
        ------
        ConflictError
            It ran out and another writer has it.
        """

    def release(self) -> None:
        """Give it back; never fails."""

    def strand(self) -> None:
        """From now on never give it back: it is held until the process ends, or it runs out."""

    def abandon(self) -> None:
        """Give it back so that the next one knows that something may lie there; never fails."""


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """An object as a listing has it.

    Parameters
    ----------
    key : str
    bytes : int
    written : float
        When, in seconds since 1970.
    """

    key: str
    bytes: int
    written: float


@runtime_checkable
class ObjectStore(Protocol):
    """A flat space of immutable bytes under keys such as ``sst/manifest/head.json``.

    Every method raises StorageError, with the key as subject, when the storage fails.
    """

    @property
    def url(self) -> str:
        """What the user called it; part of cache keys."""

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""

    def get(self, key: str) -> bytes | None:
        """The whole object; None where there is none."""

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Some bytes of an object; None where there is none."""

    def get_tail(self, key: str, length: int) -> bytes | None:
        """The last bytes of an object, all of a shorter one; None where there is none."""

    def get_tagged(self, key: str) -> tuple[bytes, str] | None:
        """The whole object and the tag of exactly this state, for :meth:`put_if`."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object: readers see all of it or what was there before."""

    def put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        """Write durably if the object is still in that state; None: if there is none.

        Returns
        -------
        bool
            False where somebody else was faster; nothing is written then.
        """

    def pulse(self) -> int:
        """Another number after every conditional write; always 0 where that costs a request."""

    def sync(self, keys: Iterable[str]) -> None:
        """Return when these objects would survive a power cut."""

    def claim(self, key: str) -> Claim | None:
        """Claim a slot; None while another writer holds it."""

    def claimed_since(self, key: str) -> float | None:
        """When the writer that holds a claim took it, in seconds since 1970; None: nobody holds it.

        Writes nothing.
        """

    def list_prefixes(self, prefix: str) -> list[str]:
        """Names of the folders directly below a prefix, sorted."""

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix, sorted."""

    def listing(self, prefix: str) -> Sequence[Listed]:
        """The same with sizes and ages, unfinished objects included."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are absent are no error."""


class RemoteObjects:
    """Object storage (S3, GCS, Azure, HTTP) through obstore.

    Parameters
    ----------
    store : an obstore store, its prefix applied
    url : str
    alone : bool
        Whether this program is the only one that writes, so that a storage without conditional
        puts will do.
    """

    def __init__(self, store: Any, url: str, *, alone: bool = False) -> None:
        self._store = store
        self._url = url
        self._alone = alone
        self._conditional: bool | None = None
        self._one = threading.RLock()

    @property
    def url(self) -> str:
        """What the user called it."""
        return self._url

    @property
    def is_local(self) -> bool:
        """Never."""
        return False

    def get(self, key: str) -> bytes | None:
        """The whole object; None where there is none."""
        return self._read(key, lambda: bytes(obstore.get(self._store, key).bytes()))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Some bytes of an object; None where there is none."""
        return self._read(
            key,
            lambda: bytes(obstore.get_range(self._store, key, start=start, length=length)),
        )

    def get_tail(self, key: str, length: int) -> bytes | None:
        """The last bytes of an object: two requests, since not every storage counts from the end.

        A suffix range of an object that is shorter fails on some storages too.
        """

        def read() -> bytes:
            size = int(obstore.head(self._store, key)["size"])
            start = max(0, size - length)
            found = obstore.get_range(self._store, key, start=start, length=size - start)
            return bytes(found)

        return self._read(key, read)

    def get_tagged(self, key: str) -> tuple[bytes, str] | None:
        """The whole object and its entity tag."""

        def read() -> tuple[bytes, str]:
            found = obstore.get(self._store, key)
            tag = str(found.meta["e_tag"] or "")
            return bytes(found.bytes()), tag

        return self._read(key, read)

    def get_written(self, key: str) -> tuple[bytes, str, float] | None:
        """The whole object, its entity tag and when it was written, by the storage's clock."""

        def read() -> tuple[bytes, str, float]:
            found = obstore.get(self._store, key)
            meta = found.meta
            return bytes(found.bytes()), str(meta["e_tag"] or ""), meta["last_modified"].timestamp()

        return self._read(key, read)

    def clock(self, key: str) -> float:
        """The storage's clock, in seconds since 1970; by an object that is made and deleted."""
        self.put(key, b"")
        try:
            found = self._read(key, lambda: obstore.head(self._store, key))
        finally:
            self.delete([key])
        return time.time() if found is None else found["last_modified"].timestamp()

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        try:
            obstore.put(self._store, key, data)
        except _FAILURES as error:
            raise self._failure("write", key, error) from error

    def put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        """Write by a conditional put; alone, where the storage has none, compare and write."""
        if self._conditional is False:
            with self._one:
                found = self.get_tagged(key)
                if (None if found is None else found[1]) != tag:
                    return False
                self.put(key, data)
                return True
        return self._put_if(key, data, tag)

    def _put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        mode: Any = "create" if tag is None else {"e_tag": tag}
        try:
            obstore.put(self._store, key, data, mode=mode)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return False
        except _FAILURES as error:
            raise self._failure("write", key, error) from error
        return True

    def pulse(self) -> int:
        """Always 0: who wants to know looks at the objects."""
        return 0

    def sync(self, keys: Iterable[str]) -> None:
        """Object storage acknowledges only what is durable."""
        del keys

    def claim(self, key: str) -> Claim | None:
        """Claim by a conditional put; a claim not renewed for 15 minutes may be taken over."""
        self._check_conditional_put(key)
        claim = LeaseClaim(self, key, uuid.uuid4().hex)
        return claim if claim.take() else None

    def claimed_since(self, key: str) -> float | None:
        """What the claim says, as long as it has not run out."""
        found = self.get_written(key)
        return None if found is None else leased_since(found[0], found[2])

    def list_prefixes(self, prefix: str) -> list[str]:
        """Names of the folders directly below a prefix."""
        self._check_listable()
        try:
            found = obstore.list_with_delimiter(self._store, prefix or None)
        except _FAILURES as error:
            raise self._failure("list", prefix, error) from error
        return sorted(str(one).rstrip("/").rpartition("/")[2] for one in found["common_prefixes"])

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix."""
        return [one.key for one in self.listing(prefix)]

    def listing(self, prefix: str) -> Sequence[Listed]:
        """Every key below a prefix, with sizes and ages."""
        self._check_listable()
        try:
            return sorted(
                Listed(str(meta["path"]), int(meta["size"]), meta["last_modified"].timestamp())
                for batch in obstore.list(self._store, prefix or None)
                for meta in batch
            )
        except _FAILURES as error:
            raise self._failure("list", prefix, error) from error

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects."""
        for some in batched(keys, _BULK):
            try:
                obstore.delete(self._store, list(some))
            except FileNotFoundError:
                self._delete_singly(some)
            except _FAILURES as error:
                raise self._failure("delete", some[0], error) from error

    def _check_listable(self) -> None:
        if self._url.startswith(("http://", "https://")):
            raise StorageError(
                f"the web server {self._url} cannot list what it holds", subject=self._url
            )

    def _delete_singly(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                continue
            except _FAILURES as error:
                raise self._failure("delete", key, error) from error

    def _check_conditional_put(self, key: str) -> None:
        """Refuse a storage that lets two writers both be the first."""
        with self._one:
            if self._conditional is None:
                found = self._probe(f"{key}-probe-{uuid.uuid4().hex[:8]}")
                if not found and not self._alone:
                    raise StorageError(
                        f"the store {self._url} does not honour conditional puts, so writers could "
                        "destroy each other's work; use a local path or another object storage, or "
                        "set DATACUBE_SINGLE_WRITER=1 where this program is the only one that "
                        "ever writes",
                        subject=self._url,
                    )
                self._conditional = found

    def _probe(self, key: str) -> bool:
        """Whether the storage looks at the conditions of a put."""
        first, second = self._put_if(key, b"1", None), self._put_if(key, b"2", None)
        third = self._put_if(key, b"3", '"none such"')
        self.delete([key])
        return (first, second, third) == (True, False, False)

    def _read[T](self, key: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except FileNotFoundError:
            return None
        except _FAILURES as error:
            raise self._failure("read", key, error) from error

    def _failure(self, what: str, key: str, error: Exception) -> StorageError:
        reason = str(error).partition("\n\nDebug source")[0].strip()
        return StorageError(
            f"cannot {what} '{key}' of the store {self._url}: {reason}", subject=key
        )
