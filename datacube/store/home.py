"""Where a cube lies: as a plain Zarr group in the store, or in an Icechunk repository."""

from collections.abc import Iterable

from datacube.store.history import read_head
from datacube.store.icechunk.pinned import pinned
from datacube.store.icechunk.repository import IcechunkObjects, Repository
from datacube.store.icechunk.session import Fork
from datacube.store.icechunk.writing import WritingObjects
from datacube.store.manifest import Head, Version
from datacube.store.objects import ObjectStore


def locate(store: ObjectStore, cube_id: str) -> tuple[ObjectStore, Head]:
    """The objects of a cube, and its head.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str

    Raises
    ------
    CoverageNotFound
        There is no such cube.
    StorageError
        Its head is damaged, or the library that reads it is not installed.
    """
    head = read_head(store, cube_id)
    if not head.storage:
        return store, head
    objects = IcechunkObjects(Repository(store, cube_id))
    return objects, read_head(objects, cube_id)


def new_home(store: ObjectStore, cube_id: str) -> ObjectStore:
    """An Icechunk repository for a new cube, to be written.

    Raises
    ------
    StorageError
        It cannot be made, or the library is not installed.
    """
    return WritingObjects(Repository(store, cube_id, create=True), None)


def at_version(store: ObjectStore, head: Head, version: Version) -> ObjectStore:
    """The objects of a cube as they were at a version.

    Parameters
    ----------
    store : ObjectStore, as located
    head, version : Head, Version
    """
    if isinstance(store, IcechunkObjects):
        return pinned(store, head.manifest, version)
    return store


def changeable(
    store: ObjectStore, head: Head, version: Version, *, back: bool = False
) -> ObjectStore:
    """The objects of a cube for one change of it.

    Parameters
    ----------
    store : ObjectStore, as located
    head, version : Head, Version
        The state on which the change stands.
    back : bool
        It is an earlier state, which becomes the newest again.
    """
    if isinstance(store, IcechunkObjects):
        stand = pinned(store, head.manifest, version)
        return WritingObjects(store.repository, stand, back=back)
    return store


def fork_of(store: ObjectStore, layout: int, slot: int) -> Fork | None:
    """What another process needs to write chunks of a slice; None where the store's URL will do.

    Parameters
    ----------
    store : ObjectStore, of a change
    layout, slot : int
    """
    return store.fork((layout, slot)) if isinstance(store, WritingObjects) else None


def keeps_order(store: ObjectStore) -> bool:
    """Whether the Zarr group of a cube shows every version as it is, without being compacted."""
    return isinstance(store, IcechunkObjects)


def take_in(store: ObjectStore, keys: Iterable[str], changes: Fork | None) -> None:
    """Take chunks that another process has written into a change."""
    if changes is not None and isinstance(store, WritingObjects):
        store.adopt(keys, changes)


def outside(store: ObjectStore) -> ObjectStore:
    """The store in which a cube lies."""
    return store.outer if isinstance(store, IcechunkObjects) else store
