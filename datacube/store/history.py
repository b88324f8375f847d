"""The documents of a cube, read: its head, its versions, its slices."""

from datacube.errors import CoverageNotFound, StorageError
from datacube.store.index import is_cube_id
from datacube.store.manifest import Head, Version, head_key
from datacube.store.objects import ObjectStore
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


def read_version(store: ObjectStore, cube_id: str, name: str) -> Version:
    """A version document of a cube.

    Raises
    ------
    StorageError
        It is missing or damaged.
    """
    data = store.get(f"{cube_id}/{name}")
    if data is None:
        raise StorageError(f"cube '{cube_id}' lacks its version document {name}", subject=cube_id)
    return Version.load(data, name, cube_id)


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
