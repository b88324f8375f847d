"""Pointers: small documents in a store that publish a Zarr group that lies elsewhere."""

import json
from dataclasses import dataclass

from datacube.errors import ConflictError, SourceError, StorageError
from datacube.store.cache import ChunkCache
from datacube.store.foreign_fields import ncname
from datacube.store.foreign_group import ForeignGroup, open_group, stem_of
from datacube.store.foreign_nodes import read_documents
from datacube.store.icechunk.repository import Repository
from datacube.store.icechunk.view import ViewedObjects, is_repository
from datacube.store.index import note_in_index
from datacube.store.manifest import head_key
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a registered group lies.

    Parameters
    ----------
    url : str
    alias : str
        Its name as it was given, where that is no id; else empty.
    """

    url: str
    alias: str = ""


def pointer_key(cube_id: str) -> str:
    """Key of a pointer."""
    return f"{cube_id}/pointer.json"


def read_pointer(store: ObjectStore, folder: str) -> Pointer | None:
    """The pointer in a folder; None where there is none.

    Raises
    ------
    StorageError
        It is damaged.
    """
    data = store.get(pointer_key(folder)) if folder else None
    if data is None:
        return None
    try:
        document = json.loads(data)
        return Pointer(str(document["url"]), str(document.get("alias", "")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(f"the pointer of '{folder}' is damaged", subject=folder) from error


def is_of_others(store: ObjectStore, folder: str) -> bool:
    """Whether a folder holds cubes that others wrote, or that are registered.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    if read_pointer(store, folder) is not None:
        return True
    if is_repository(store.get_range(f"{folder}/repo", 0, 16)):
        repository = Repository(store, folder)
        tip = repository.tip()
        if repository.head_of(tip) is not None:
            return False
        objects: ObjectStore = ViewedObjects(repository, tip)
        return bool(open_group(objects, "", ChunkCache(), name=folder).cubes)
    return bool(open_group(store, folder, ChunkCache()).cubes)


def register(store: ObjectStore, url: str, name: str = "") -> ForeignGroup:
    """Publish a Zarr group, or an HDF5 or NetCDF-4 file, where it lies; values are not copied.

    Of a file the store gets an Icechunk repository that refers to parts of it.

    Parameters
    ----------
    store : ObjectStore
        Gets the pointer, or the repository.
    url : str
        Of the group or file.
    name : str, optional
        Default the group's own. ``:``, ``/`` and ``.`` in it become ``__`` in the id; every
        door takes both.

    Returns
    -------
    ForeignGroup
        The cubes in it, and the reasons why parts of it are none.

    Raises
    ------
    ConflictError
        The store has a cube of that id already.
    SourceError
        There is nothing at the URL that can be served.
    """
    from datacube.store.icechunk.virtual import is_file  # noqa: PLC0415  h5py loads slowly

    if is_file(url):
        return _refer(store, url, name)
    there = open_store(url)
    given = name or stem_of(there.url.rstrip("/").rpartition("/")[2])
    cube_id = ncname(given)
    known = read_pointer(store, cube_id)
    taken = store.get(head_key(cube_id)) is not None or read_documents(store, cube_id) is not None
    if taken or (known is not None and known.url != there.url):
        raise ConflictError(
            f"there is already a cube '{cube_id}' in {store.url}; give another --id",
            subject=cube_id,
        )
    group = open_group(there, "", ChunkCache(), name=cube_id)
    if not group.cubes:
        why = "; ".join(group.reasons) or _nothing(there, group)
        raise SourceError(f"{url} cannot be served: {why}", subject=url)
    _check_parts(store, group)
    document = {"format": 1, "url": there.url, "alias": "" if given == cube_id else given}
    store.put(pointer_key(cube_id), json.dumps(document).encode())
    store.sync([pointer_key(cube_id)])
    note_in_index(store, cube_id)
    return group


def _check_parts(store: ObjectStore, group: ForeignGroup) -> None:
    """See that the further cubes of a group have ids of their own."""
    for cube in group.cubes[1:]:
        if store.get(head_key(cube.id)) is not None or read_pointer(store, cube.id) is not None:
            raise ConflictError(
                f"there is already a cube '{cube.id}' in {store.url}, as a part of the group would "
                "be called; give another --id",
                subject=cube.id,
            )


def _nothing(there: ObjectStore, group: ForeignGroup) -> str:
    """Why a group in which nothing is wrong holds no cube."""
    if there.get("manifest/head.json") is not None:
        return "it is a cube of this program; serve the store in which it lies"
    return "there is no Zarr group" if not group.digest else "the Zarr group holds no array"


def _refer(store: ObjectStore, url: str, name: str) -> ForeignGroup:
    """Publish a file where it lies."""
    from datacube.store.icechunk.virtual import refer  # noqa: PLC0415  h5py loads slowly

    given = name or url.rstrip("/").rpartition("/")[2].rpartition(".")[0]
    cube_id = ncname(given)
    if store.get(head_key(cube_id)) is not None or read_pointer(store, cube_id) is not None:
        raise ConflictError(
            f"there is already a cube '{cube_id}' in {store.url}; give another --id",
            subject=cube_id,
        )
    refer(store, url, cube_id)
    repository = Repository(store, cube_id)
    objects = ViewedObjects(repository, repository.tip())
    group = open_group(objects, "", ChunkCache(), name=cube_id)
    if not group.cubes:
        store.delete(store.list(f"{cube_id}/"))
        raise SourceError(f"{url} cannot be served: {'; '.join(group.reasons)}", subject=url)
    try:
        _check_parts(store, group)
    except ConflictError:
        store.delete(store.list(f"{cube_id}/"))
        raise
    note_in_index(store, cube_id)
    return group
