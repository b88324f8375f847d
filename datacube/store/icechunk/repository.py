"""A cube in an Icechunk repository: its newest version, and every version by its name."""

import fcntl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datacube.errors import StorageError
from datacube.store.durable import sync_file_system
from datacube.store.icechunk.documents import VERSION, opened
from datacube.store.icechunk.library import BRANCH, SPLIT_ROWS, Loops, failures, library, storage_of
from datacube.store.icechunk.session import read_object
from datacube.store.icechunk.sources import authorised, container_of
from datacube.store.manifest import Head, head_key
from datacube.store.objects import Claim, Listed, ObjectStore

MARK = "datacube"
"""Of a snapshot's metadata: which version it is."""

BACK = "back-"
"""How the branches begin that exist for a moment while a cube goes back."""

_TAG = "version-"


class Repository:
    """An opened repository; safe to share between threads.

    Parameters
    ----------
    outer : ObjectStore
        The store in which the cube's folder lies.
    folder : str
    create : bool
        Make it where there is none.
    container : icechunk.VirtualChunkContainer, optional
        Where the files lie to which a new repository refers.

    Raises
    ------
    StorageError
        It cannot be opened.
    """

    def __init__(
        self,
        outer: ObjectStore,
        folder: str,
        *,
        create: bool = False,
        container: Any = None,
    ) -> None:
        self.outer = outer
        self.folder = folder
        self.loops = Loops()
        self._heads: dict[str, Head | None] = {}
        icechunk = library()
        self.url = f"{outer.url}/{folder}" if folder else outer.url
        storage = storage_of(self.url, local=outer.is_local)
        with failures(f"open the Icechunk repository {self.url}", folder):
            if create:
                self.inner = icechunk.Repository.open_or_create(
                    storage, config=_config(container), check_clean_root=False
                )
                if container is not None:
                    self.inner.save_config()
            else:
                self.inner = _opened(storage)

    def tip(self) -> str:
        """The newest snapshot's id."""
        with failures(f"read the Icechunk repository {self.url}", self.folder):
            return str(self.inner.lookup_branch(BRANCH))

    def head_of(self, snapshot: str) -> Head | None:
        """Which version of ours a snapshot is; None where it is none."""
        if snapshot not in self._heads:
            with failures(f"read the Icechunk repository {self.url}", self.folder):
                self._heads[snapshot] = _head(self.inner.lookup_snapshot(snapshot).metadata)
        return self._heads[snapshot]

    def versions(self) -> dict[str, Any]:
        """Name of each version's document -> its snapshot, as far back as they are kept.

        Versions before one to which the cube was rolled back have tags.
        """
        found: dict[str, Any] = {}
        with failures(f"read the Icechunk repository {self.url}", self.folder):
            starts = [{"tag": name} for name in self.inner.list_tags()]
            for start in ({"branch": BRANCH}, *starts):
                for one in self.inner.ancestry(**start):
                    head = _head(one.metadata)
                    if head is not None:
                        found.setdefault(head.manifest, one)
        return found

    def find(self, manifest: str) -> str | None:
        """The snapshot of a version; None where there is none any more."""
        tip = self.tip()
        newest = self.head_of(tip)
        if newest is not None and newest.manifest == manifest:
            return tip
        found = self.versions().get(manifest)
        return None if found is None else str(found.id)

    def snapshot_of(self, manifest: str) -> str:
        """The snapshot of a version.

        Raises
        ------
        StorageError
            It is not there any more.
        """
        found = self.find(manifest)
        if found is None:
            raise StorageError(f"{self.url} has no {manifest} any more", subject=self.folder)
        return found

    def store_at(self, snapshot: str) -> Any:
        """Icechunk's Zarr store at a snapshot."""
        with failures(f"read the Icechunk repository {self.url}", self.folder):
            return self.inner.readonly_session(snapshot_id=snapshot).store

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Alone in changing the branch, where the storage itself does not see to it."""
        if not self.outer.is_local:
            yield
            return
        with Path(self.url, ".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def advance(self, session: Any, head: Head, message: str, tip: str) -> bool:
        """Make a session's changes the newest snapshot, durably; False where the tip has moved."""
        with failures(f"commit to the Icechunk repository {self.url}", self.folder):
            mark = {"version": head.version, "manifest": head.manifest}
            snapshot = session.flush(message, metadata={MARK: mark})
            self.settle()
            try:
                self.inner.reset_branch(BRANCH, snapshot, from_snapshot_id=tip)
            except library().ConflictError:
                return False
            self.settle()
        if self.outer.is_local:
            self._tell(snapshot)
        return True

    def _tell(self, snapshot: str) -> None:
        """Let those who watch the store's folder see that something has changed."""
        key = f"{self.folder}/manifest/commit"
        found = self.outer.get_tagged(key)
        self.outer.put_if(key, snapshot.encode(), None if found is None else found[1])

    def keep(self, snapshot: str) -> None:
        """Keep a snapshot that is about to leave the branch's history."""
        head = self.head_of(snapshot)
        name = f"{_TAG}{head.version if head else 0:08d}"
        with failures(f"tag the Icechunk repository {self.url}", self.folder):
            if name not in self.inner.list_tags():
                self.inner.create_tag(name, snapshot)

    def tags(self) -> list[tuple[str, Head]]:
        """The tags of versions that have left the branch's history."""
        with failures(f"read the Icechunk repository {self.url}", self.folder):
            names = [name for name in self.inner.list_tags() if name.startswith(_TAG)]
            heads = [self.head_of(self.inner.lookup_tag(name)) for name in names]
        return [(name, head) for name, head in zip(names, heads, strict=True) if head is not None]

    def left(self) -> list[str]:
        """Branches that somebody has left who died while a cube went back."""
        with failures(f"read the Icechunk repository {self.url}", self.folder):
            return [name for name in self.inner.list_branches() if name.startswith(BACK)]

    def settle(self) -> None:
        """Return when what was written would survive a power cut."""
        if self.outer.is_local:
            sync_file_system(self.url)


class IcechunkObjects:
    """The objects of a cube in a repository: documents of any version, claims, the head.

    Chunks are read at a version: :func:`datacube.store.icechunk.pinned.pinned`.

    Parameters
    ----------
    repository : Repository
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._outer = repository.outer
        self._root = f"{repository.folder}/" if repository.folder else ""

    @property
    def url(self) -> str:
        """The store's."""
        return self._outer.url

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self._outer.is_local

    @property
    def outer(self) -> ObjectStore:
        """The store in which the repository lies."""
        return self._outer

    def get(self, key: str) -> bytes | None:
        """A document: the head, or a version."""
        if key == head_key(self.repository.folder):
            found = self.get_tagged(key)
            return None if found is None else found[0]
        path = self.path(key)
        if not path.startswith("manifest/versions/"):
            return None
        snapshot = self.repository.find(path)
        if snapshot is None:
            return None
        return opened(self.read(self.repository.store_at(snapshot), f"{VERSION}/c/0"))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Some bytes of it."""
        data = self.get(key)
        return None if data is None else data[start : start + length]

    def get_tail(self, key: str, length: int) -> bytes | None:
        """Its last bytes."""
        data = self.get(key)
        return None if data is None else data[-length:]

    def get_tagged(self, key: str) -> tuple[bytes, str] | None:
        """The head, and the snapshot at which the branch is."""
        del key
        tip = self.repository.tip()
        head = self.repository.head_of(tip)
        return None if head is None else (head.dump(), tip)

    def put(self, key: str, data: bytes) -> None:
        """Nothing is written outside a transaction."""
        del data
        raise self._unwritable(key)

    def put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        """Nothing is written outside a transaction."""
        del data, tag
        raise self._unwritable(key)

    def delete(self, keys: Iterable[str]) -> None:
        """Nothing is deleted outside a transaction."""
        for key in keys:
            raise self._unwritable(key)

    def pulse(self) -> int:
        """The store's."""
        return self._outer.pulse()

    def sync(self, keys: Iterable[str]) -> None:
        """The commit is what is durable."""
        del keys

    def claim(self, key: str) -> Claim | None:
        """A claim is an object beside the repository."""
        return self._outer.claim(key)

    def claimed_since(self, key: str) -> float | None:
        """A claim is an object beside the repository."""
        return self._outer.claimed_since(key)

    def list_prefixes(self, prefix: str) -> list[str]:
        """Nothing can be listed but at a version."""
        del prefix
        return []

    def list(self, prefix: str) -> list[str]:
        """Nothing can be listed but at a version."""
        del prefix
        return []

    def listing(self, prefix: str) -> Sequence[Listed]:
        """Objects of the repository, and the claims beside it."""
        return self._outer.listing(prefix)

    def path(self, key: str) -> str:
        """A key below the cube's folder."""
        return key.removeprefix(self._root)

    def read(self, store: Any, path: str, byte_range: Any = None) -> bytes | None:
        """An object of the Zarr hierarchy.

        Raises
        ------
        StorageError
            It cannot be read.
        """
        repository = self.repository
        return read_object(store, path, repository.loops, repository.url, byte_range)

    def _unwritable(self, key: str) -> StorageError:
        return StorageError(
            f"'{key}' of the Icechunk repository {self.repository.url} is written in transactions",
            subject=key,
        )


def _opened(storage: Any) -> Any:
    """A repository that reads the files that it refers to where they may be read.

    How they are reached is for this machine to say, not for the repository.
    """
    icechunk = library()
    found = icechunk.Repository.open(storage)
    config = found.config
    if not config.virtual_chunk_containers:
        return found
    access = authorised(config.virtual_chunk_containers)
    config.clear_virtual_chunk_containers()
    for prefix in access:
        config.set_virtual_chunk_container(container_of(prefix))
    return icechunk.Repository.open(storage, config=config, authorize_virtual_chunk_access=access)


def _config(container: Any) -> Any:
    """Of a new repository."""
    icechunk = library()
    along = {icechunk.ManifestSplitDimCondition.Axis(0): SPLIT_ROWS}
    splitting = icechunk.ManifestSplittingConfig.from_dict(
        {icechunk.ManifestSplitCondition.AnyArray(): along}
    )
    config = icechunk.RepositoryConfig.default()
    config.manifest = icechunk.ManifestConfig(splitting=splitting)
    if container is not None:
        config.set_virtual_chunk_container(container)
    return config


def _head(metadata: dict[str, Any]) -> Head | None:
    mark = metadata.get(MARK)
    if not isinstance(mark, dict):
        return None
    return Head(int(mark["version"]), str(mark["manifest"]))
