"""The documents of a cube, read: its head, its versions, its slices."""

from collections.abc import Callable, Iterator
from functools import partial

from datacube.errors import CoverageNotFound, SnapshotNotFound, StorageError
from datacube.store.cache import ChunkCache
from datacube.store.index import is_cube_id
from datacube.store.manifest import Head, Version, head_key
from datacube.store.objects import ObjectStore
from datacube.store.positions import grids_reader
from datacube.store.preface import Preface, read_preface
from datacube.store.tables import SliceDocument, slice_key


def read_head(store: ObjectStore, cube_id: str) -> Head:
    """The head of a cube.

    Raises
    ------
    CoverageNotFound
        There is no such cube.
    """
    data = store.get(head_key(cube_id)) if is_cube_id(cube_id) else None
    if data is None:
        raise CoverageNotFound(f"there is no cube '{cube_id}' in {store.url}", subject=cube_id)
    return Head.load(data, cube_id)


def read_version(
    store: ObjectStore, cube_id: str, name: str, cache: ChunkCache | None = None
) -> Version:
    """A version document of a cube.

    Parameters
    ----------
    cache : ChunkCache, optional
        Keeps the positions of a curvilinear grid.

    Raises
    ------
    StorageError
        It is missing or damaged.
    """
    data = store.get(f"{cube_id}/{name}")
    if data is None:
        raise StorageError(f"cube '{cube_id}' lacks its version document {name}", subject=cube_id)
    return Version.load(data, name, cube_id, grids_reader(store, cube_id, cache))


def read_slice_document(store: ObjectStore, cube_id: str, name: str) -> SliceDocument:
    """A slice document of a cube.

    Raises
    ------
    StorageError
        It is missing or damaged.
    """
    data = store.get(slice_key(cube_id, name))
    if data is None:
        raise StorageError(f"cube '{cube_id}' lacks its slice document {name}", subject=cube_id)
    return SliceDocument.load(data, name, cube_id)


def history(store: ObjectStore, cube_id: str, head: Head) -> Iterator[tuple[Head, Preface]]:
    """The versions of a cube, the newest first, as far back as they are kept; a read for each."""
    for one, preface, _ in documents(store, cube_id, head):
        yield one, preface


def documents(
    store: ObjectStore, cube_id: str, head: Head
) -> Iterator[tuple[Head, Preface, Callable[[], Version]]]:
    """The same, each with what gives the whole version without another read."""
    while head.manifest and (data := store.get(f"{cube_id}/{head.manifest}")) is not None:
        preface = read_preface(data, head.manifest, cube_id)
        grids = grids_reader(store, cube_id, None)
        yield head, preface, partial(Version.load, data, head.manifest, cube_id, grids)
        head = Head(preface.number - 1, preface.parent)


def find_version(store: ObjectStore, cube_id: str, number: int) -> Head:
    """What names a version, by its number.

    Raises
    ------
    CoverageNotFound
        There is no such cube.
    SnapshotNotFound
        It never had that version, or has it no more; the message says which it has.
    """
    oldest = newest = read_head(store, cube_id)
    for head, _ in history(store, cube_id, newest):
        if head.version == number:
            return head
        oldest = head
    raise SnapshotNotFound(
        f"cube '{cube_id}' has no version {number}; there are {oldest.version} to {newest.version}",
        subject=f"{cube_id}@{number}",
    )
