"""Chunks of a change that another process writes than the one that commits it.

The process gets a fork of the session and writes objects of the repository. What it sends back are
the references to them, which the session takes in: no bytes move, unless the array itself is new
in the change. Objects of a fork that nobody takes in are in no snapshot, and go as everything does
that dead writers leave.
"""

from collections.abc import Iterable
from copy import copy

from datacube.store.durable import sync_file_system
from datacube.store.icechunk.documents import boundless_array
from datacube.store.icechunk.library import Loops, failures
from datacube.store.icechunk.pinned import chunk_of
from datacube.store.icechunk.session import Fork, Session
from datacube.store.objects import ObjectStore


class ForkedObjects:
    """The chunks of one slice, to be written; safe to use from many threads.

    Parameters
    ----------
    outer : ObjectStore
        The store in which the cube's folder lies, as this process calls it.
    folder : str
    fork : Fork
    timed : bool
        Whether the cube has time.
    """

    def __init__(self, outer: ObjectStore, folder: str, fork: Fork, *, timed: bool) -> None:
        self._outer = outer
        self._folder = folder
        self._row = fork.row
        self._timed = timed
        self._session = Session(copy(fork.session), Loops(), f"{outer.url}/{folder}")

    def put(self, key: str, data: bytes) -> None:
        """Write a chunk.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        chunk = chunk_of(key.removeprefix(f"{self._folder}/"), timed=self._timed)
        if chunk is None:
            raise ValueError(f"'{key}' is no chunk")
        dimensions = len(chunk.place) + (chunk.slot is not None)
        self._session.open(chunk.array, boundless_array(dimensions))
        self._session.write(chunk.path(self._row), data)

    def sync(self, keys: Iterable[str]) -> None:
        """Return when what was written would survive a power cut.

        Raises
        ------
        StorageError
            The disk failed.
        """
        del keys
        if self._outer.is_local:
            url = f"{self._outer.url}/{self._folder}"
            with failures(f"make {url} durable", url):
                sync_file_system(url)

    @property
    def changes(self) -> Fork:
        """What was written, for the session of the change to take in."""
        return Fork(self._session.inner, self._row)
