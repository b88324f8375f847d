"""The names of a store's cubes, and the list of them at its root."""

import json
import re

from datacube.errors import StorageError
from datacube.store.manifest import head_key
from datacube.store.objects import ObjectStore
from datacube.store.together import asked_together

INDEX_KEY = "cubes.json"
"""Lists the cubes of a store, for storages that cannot."""

_CUBE_ID = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*\Z")


def is_cube_id(text: str) -> bool:
    """Whether a cube may be called so.

    Examples
    --------
    >>> is_cube_id("sst-2d"), is_cube_id("sst.2d"), is_cube_id("../sst")
    (True, False, False)
    """
    return _CUBE_ID.match(text) is not None


def read_index(data: bytes) -> list[str]:
    """Cube ids of an index document; cubes that are gone may still stand in it.

    Examples
    --------
    >>> read_index(b'{"cubes": ["sst", "air"]}')
    ['air', 'sst']
    """
    try:
        return sorted(str(name) for name in json.loads(data)["cubes"])
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"the index {INDEX_KEY} is damaged", subject=INDEX_KEY) from error


def list_folders(store: ObjectStore) -> list[str]:
    """Names of what lies in a store, sorted.

    A web server cannot list its folders; there the index counts that writers keep at the root.
    """
    try:
        return store.list_prefixes("")
    except StorageError:
        data = store.get(INDEX_KEY)
        if data is None:
            raise
        return read_index(data)


def list_cubes(store: ObjectStore) -> list[str]:
    """Ids of the cubes in a store, sorted."""
    names = [name for name in list_folders(store) if is_cube_id(name)]
    heads = asked_together(store, lambda name: store.get(head_key(name)), names)
    return [name for name, head in zip(names, heads, strict=True) if head is not None]


def note_in_index(store: ObjectStore, cube_id: str) -> None:
    """Add a cube to the list at the store's root, whoever else does the same."""
    while True:
        found = store.get_tagged(INDEX_KEY)
        names = [] if found is None else read_index(found[0])
        if cube_id in names:
            return
        data = json.dumps({"cubes": sorted([*names, cube_id])}).encode()
        if store.put_if(INDEX_KEY, data, None if found is None else found[1]):
            return
