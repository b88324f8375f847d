"""Sessions of the library: calls made to wait, arrays that take any chunk while written."""

import threading
from dataclasses import dataclass
from typing import Any

from datacube.store.icechunk.library import INTERPRETER, Loops, failures


class Session:
    """A writable session of a repository; safe to use from many threads.

    Parameters
    ----------
    inner : icechunk.Session
    loops : Loops
    url : str
        Of the repository.
    """

    def __init__(self, inner: Any, loops: Loops, url: str) -> None:
        self.inner = inner
        self._loops = loops
        self._url = url
        self._lock = threading.Lock()
        self._open: set[str] = set()

    def read(self, where: str) -> bytes | None:
        """An object of the Zarr hierarchy.

        Raises
        ------
        StorageError
            It cannot be read.
        """
        return read_object(self.inner.store, where, self._loops, self._url)

    def write(self, where: str, data: bytes) -> None:
        """Write an object.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        from zarr.core.buffer import cpu  # noqa: PLC0415  it loads slowly

        with failures(f"write '{where}' to the Icechunk repository {self._url}", where):
            self._loops.run(self.inner.store.set(where, cpu.Buffer.from_bytes(data)))

    def delete(self, where: str) -> None:
        """Take an object out.

        Raises
        ------
        StorageError
            The storage failed.
        """
        with failures(f"take '{where}' out of the Icechunk repository {self._url}", where):
            self._loops.run(self.inner.store.delete(where))

    def remove(self, array: str) -> None:
        """Remove an array with its chunks.

        Raises
        ------
        StorageError
            The storage failed.
        """
        with failures(f"remove '{array}' of the Icechunk repository {self._url}", array):
            self._loops.run(self.inner.store.delete_dir(array))

    def open(self, array: str, metadata: bytes) -> None:
        """Let an array take any chunk: write these metadata, unless it was opened before."""
        with self._lock:
            if array not in self._open:
                self.write(f"{array}/zarr.json", metadata)
                self._open.add(array)

    def leave(self, array: str) -> None:
        """Never open an array: its metadata are those that it has."""
        with self._lock:
            self._open.add(array)

    def merge(self, fork: Any) -> None:
        """Take in what was written into a fork of the session, or of the state it began with.

        Raises
        ------
        StorageError
            It is no fork of this repository.
        """
        with (
            failures(f"take in a part of a change of the Icechunk repository {self._url}", "merge"),
            INTERPRETER.alone(),
        ):
            self.inner.merge(fork)


@dataclass(frozen=True, slots=True, eq=False)
class Fork:
    """What another process needs to write chunks of a slice.

    Parameters
    ----------
    session : icechunk.ForkSession
        Of the state on which the change stands; it can be sent about.
    row : int
        Of the slice.
    """

    session: Any
    row: int


def read_object(
    store: Any, path: str, loops: Loops, url: str, byte_range: Any = None
) -> bytes | None:
    """An object of the Zarr hierarchy in a session's store.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    from zarr.core.buffer import default_buffer_prototype  # noqa: PLC0415  it loads slowly

    with failures(f"read '{path}' of the Icechunk repository {url}", path):
        found = loops.run(store.get(path, default_buffer_prototype(), byte_range))
    return None if found is None else bytes(found.to_bytes())
