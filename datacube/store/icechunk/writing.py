"""A cube's objects while they are changed: the next snapshot.

What a transaction puts goes into a session of the repository at once, in rows after those of the
version on which it stands. Its commit brings the rows into the order of time, which moves
references and no bytes, writes the metadata of the Zarr group, and moves the branch if nobody else
has. Where somebody has, the session is made anew on the newer snapshot, and what was put is
brought over.
"""

import threading
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, override

from datacube.errors import StorageError
from datacube.store.icechunk.arrange import arrange, arrays_of, describe
from datacube.store.icechunk.documents import (
    SLICES,
    boundless_array,
    closed,
    documents_array,
    opened,
)
from datacube.store.icechunk.library import BRANCH, failures
from datacube.store.icechunk.pinned import PinnedObjects, Rows, Slot, chunk_of, rows_of
from datacube.store.icechunk.repository import BACK, IcechunkObjects, Repository
from datacube.store.icechunk.session import Fork, Session
from datacube.store.manifest import Head, Version
from datacube.store.positions import grids_reader

_THREADS = 8


@dataclass(eq=False)
class _Base:
    """What a session stands on.

    Parameters
    ----------
    session : Session
    fork : icechunk.ForkSession
        Of the session as it began.
    snapshot : str
        The branch must be there at the commit.
    version : Version or None
        Of the rows that the session begins with; None in a new repository.
    """

    session: Session
    fork: Any
    snapshot: str
    version: Version | None
    spent: bool = False

    @property
    def count(self) -> int:
        """Rows that it begins with."""
        return len(self.version.slices) if self.version else 0


class WritingObjects(IcechunkObjects):
    """Objects of a change that is under way; safe to use from many threads.

    Parameters
    ----------
    repository : Repository
    stand : PinnedObjects, optional
        The state on which the change stands; None for a new cube.
    back : bool
        That state is an earlier one and becomes the newest again.
    """

    def __init__(
        self, repository: Repository, stand: PinnedObjects | None, *, back: bool = False
    ) -> None:
        super().__init__(repository)
        self._stand = stand
        self._back = back
        self._timed = stand is None or stand.version.timed
        self._lock = threading.Lock()
        self._base = self._newest() if stand is None or not back else self._earlier(stand)
        self._own: Rows = {}
        self._put: dict[str, None] = {}
        self._whole: dict[str, bytes] = {}
        self._document: tuple[str, bytes] = "", b""

    @override
    def get(self, key: str) -> bytes | None:
        """The whole object, of the change or of the state on which it stands."""
        path = self.path(key)
        if path in self._whole:
            return self._whole[path]
        if key in self._put:
            data = self._base.session.read(self._where(path, self._own))
            return opened(data) if path.startswith("manifest/") else data
        return super().get(key) if self._stand is None else self._stand.get(key)

    @override
    def put(self, key: str, data: bytes) -> None:
        """Put an object into the change."""
        path = self.path(key)
        if path.startswith("manifest/versions/"):
            self._document = path, data
        elif self._stand is None or path.startswith(SLICES):
            self._whole[path] = data
        else:
            if path.startswith("manifest/"):
                data = closed(data)
            self._open(path)
            self._base.session.write(self._where(path, self._own), data)
            with self._lock:
                self._put[key] = None

    def fork(self, slot: Slot) -> Fork:
        """What another process needs to write chunks of a slice into the change."""
        return Fork(self._base.fork, self._row(slot))

    def adopt(self, keys: Iterable[str], changes: Fork) -> None:
        """Take in chunks that another process has written; those of new arrays as bytes.

        An array that is not in the snapshot yet is another one in each fork.
        """
        base, session = self._base, self._base.session
        known = {path for path, _ in arrays_of(base.version)} if base.version else set()
        written = {key: chunk_of(self.path(key), timed=self._timed) for key in keys}
        if all(chunk is not None and chunk.array in known for chunk in written.values()):
            session.merge(changes.session)
            with self._lock:
                self._put |= dict.fromkeys(written)
            return
        there = Session(changes.session, self.repository.loops, self.repository.url)
        for key in written:
            data = there.read(self._where(self.path(key), self._own))
            if data is None:
                raise StorageError(f"another process has not written '{key}'", subject=key)
            self.put(key, data)

    @override
    def delete(self, keys: Iterable[str]) -> None:
        """Take objects out of the change."""
        for key in keys:
            with self._lock:
                known = key in self._put
                self._put.pop(key, None)
                self._whole.pop(self.path(key), None)
            if known:
                self._base.session.delete(self._where(self.path(key), self._own))

    @override
    def put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        """Commit, if the branch is still at that snapshot."""
        del key
        cube_id = self.repository.folder
        with self.repository.committing():
            tip = self.repository.tip()
            if tip != (tag or tip) or (tag is None and self.repository.head_of(tip)):
                return False
            if (self._base.spent or self._base.snapshot != tip) and not self._move(tip):
                return False
            name, packed = self._document
            version = Version.load(packed, name, cube_id, grids_reader(self, cube_id))
            self._base.spent = True
            with failures(f"commit to the Icechunk repository {self.repository.url}", cube_id):
                session = self._base.session
                rows = rows_of(self._base.version) if self._base.version else {}
                arrange(session, version, rows | self._own)
                self._file(version)
                describe(session, version, packed, self._base.version)
            self._keep(version)
            head = Head.load(data, cube_id)
            if self._back:
                self.repository.keep(tip)
            return self.repository.advance(self._base.session.inner, head, version.message, tip)

    def _file(self, version: Version) -> None:
        """Write the documents of the slices that are new, each in its row."""
        for row, one in enumerate(version.slices):
            data = self._whole.get(f"{SLICES}/{one.name}.json")
            if data is not None:
                self._base.session.open(SLICES, boundless_array(1))
                self._base.session.write(f"{SLICES}/c/{row}", closed(data))

    def _keep(self, version: Version) -> None:
        """Know no more of what was put than what is left of it in a version's rows."""
        self._own = {slot: row for slot, row in rows_of(version).items() if slot in self._own}
        chunks = {key: chunk_of(self.path(key), timed=self._timed) for key in self._put}
        self._put = {
            key: None
            for key, chunk in chunks.items()
            if chunk is None or chunk.slot is None or chunk.slot in self._own
        }

    def _newest(self) -> _Base:
        """A session on the newest snapshot."""
        with failures(f"write to the Icechunk repository {self.repository.url}", self.url):
            inner = self.repository.inner.writable_session(BRANCH)
        snapshot = str(inner.snapshot_id)
        if self._stand is not None and snapshot == self._stand.snapshot:
            return self._begun(inner, snapshot, self._stand.version)
        head = self.repository.head_of(snapshot)
        if head is None:
            return self._begun(inner, snapshot, None)
        cube_id = self.repository.folder
        data = super().get(f"{cube_id}/{head.manifest}")
        if data is None:
            raise StorageError(f"cube '{cube_id}' lacks {head.manifest}", subject=cube_id)
        read = grids_reader(self._stand or self, cube_id)
        return self._begun(inner, snapshot, Version.load(data, head.manifest, cube_id, read))

    def _earlier(self, stand: PinnedObjects) -> _Base:
        """A session on an earlier snapshot, that will follow the newest one."""
        tip = self.repository.tip()
        name = f"{BACK}{uuid.uuid4().hex[:12]}"
        inner = self.repository.inner
        with failures(f"write to the Icechunk repository {self.repository.url}", self.url):
            inner.create_branch(name, stand.snapshot)
            try:
                session = inner.writable_session(name)
            finally:
                inner.delete_branch(name)
        return self._begun(session, tip, stand.version)

    def _begun(self, inner: Any, snapshot: str, version: Version | None) -> _Base:
        session = Session(inner, self.repository.loops, self.repository.url)
        return _Base(session, inner.fork(), snapshot, version)

    def _move(self, tip: str) -> bool:
        """Begin anew on the newest snapshot, and bring over what was put."""
        if self._back:
            return False
        new = self._newest()
        if new.snapshot != tip:
            return False
        old, rows = self._base, self._own
        found = {key: self._where(self.path(key), rows) for key in self._put}
        self._base, self._own = new, {}
        for slot in rows:
            self._row(slot)

        def bring(key: str) -> None:
            data = old.session.read(found[key])
            if data is None:
                raise StorageError(f"'{key}' of a change is gone", subject=key)
            path = self.path(key)
            self._open(path)
            self._base.session.write(self._where(path, self._own), data)

        metadata = [key for key in found if key.endswith("/zarr.json")]
        for key in metadata:  # before the chunks, which need their array
            bring(key)
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(bring, found.keys() - metadata))
        return True

    def _where(self, path: str, rows: Rows) -> str:
        """Path in the session of an object that was put."""
        if path.startswith("manifest/segments/"):
            return f"{path.removesuffix('.json')}/c/0"
        chunk = chunk_of(path, timed=self._timed)
        if chunk is None:
            return path
        return chunk.path(self._row(chunk.slot, rows))

    def _row(self, slot: Slot | None, rows: Rows | None = None) -> int:
        """Row of a slot; a new one where it has none yet."""
        if slot is None or not self._timed:
            return 0
        known = self._own if rows is None else rows
        with self._lock:
            return known.setdefault(slot, self._base.count + len(known))

    def _open(self, path: str) -> None:
        """Let the array of an object take any chunk, for the time of the change."""
        session, chunk = self._base.session, chunk_of(path, timed=self._timed)
        if path.startswith("manifest/segments/"):
            session.open(path.removesuffix(".json"), documents_array(1))
        elif path.startswith("series/"):
            self._open_series(path)
        elif chunk is not None:
            dimensions = len(chunk.place) + (chunk.slot is not None)
            session.open(chunk.array, boundless_array(dimensions))

    def _open_series(self, path: str) -> None:
        """The same for an array of the series copy, whose metadata come after its chunks."""
        *array, name = path.split("/", 3)
        if name.startswith("c/"):
            self._base.session.open("/".join(array), boundless_array(name.count("/")))
        else:
            self._base.session.leave("/".join(array))
