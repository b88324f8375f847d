"""Zarr groups in a store that the server did not write, published as they lie.

A folder of the store that holds a Zarr group (v2 or v3), an Icechunk repository, or a pointer to a
group elsewhere, is one cube, or several where its arrays have several grids or axes. What cannot be
served is left out, and the log says why, once. A group's metadata is read again now and then: a
group that has changed is a new state, whose chunks are read anew. Chunks that others overwrite
without a change of metadata are not noticed.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from datacube.errors import DatacubeError
from datacube.model.naming import identifier
from datacube.store.cache import ChunkCache
from datacube.store.foreign_fields import ncname
from datacube.store.foreign_group import ForeignGroup, open_group, stem_of
from datacube.store.foreign_nodes import is_safe
from datacube.store.foreign_scope import clean
from datacube.store.icechunk.repository import Repository
from datacube.store.icechunk.view import ViewedObjects, is_repository
from datacube.store.index import is_cube_id, list_folders
from datacube.store.manifest import head_key
from datacube.store.objects import ObjectStore
from datacube.store.register import Pointer, read_pointer
from datacube.store.source import CubeSource
from datacube.store.url import open_store

log = logging.getLogger(__name__)

REMOTE_SECONDS = 30.0
"""How long a group behind a network is believed unchanged."""


class ForeignCubes:
    """All Zarr groups of a store that are none of ours; looked at by one thread at a time.

    Parameters
    ----------
    store : ObjectStore
    cache : ChunkCache
    clock : callable, seconds; for tests
    """

    def __init__(
        self,
        store: ObjectStore,
        cache: ChunkCache,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock
        self._groups: dict[str, tuple[ForeignGroup, float]] = {}
        self._pointers: dict[str, tuple[Pointer, ObjectStore]] = {}
        self._repositories: dict[str, tuple[Repository, str]] = {}

    def look(
        self, taken: Collection[str], names: Sequence[str] | None = None
    ) -> Mapping[str, CubeSource]:
        """The cubes that are there now, by id, in the order of their folders.

        Parameters
        ----------
        taken : ids and folders of the cubes that have a manifest
        names : all folders of the store, where they are known already
        """
        there = list_folders(self._store) if names is None else names
        safe = (name for name in there if is_safe(name) and not name.startswith("."))
        folders = [one for one in ("", *safe) if one not in taken]
        groups = {folder: self._looked_at(folder) for folder in folders}
        for folder, (group, _) in groups.items():
            before = self._groups.get(folder)
            if group.reasons and (before is None or before[0].reasons != group.reasons):
                _complain(group)
        self._groups = groups
        found: dict[str, CubeSource] = {}
        for folder, (group, _) in groups.items():
            for cube in group.cubes:
                if cube.id not in taken and cube.id not in found:
                    found[cube.id] = cube
                else:
                    log.debug("%s: the id %s is taken", folder, cube.id)
        return found

    def aliases(self) -> Mapping[str, str]:
        """Folder names that are no ids -> id of the folder's main cube."""
        found = {}
        for folder, (group, _) in self._groups.items():
            pointer, _ = self._pointers.get(folder, (None, None))
            given = pointer.alias if pointer else ""
            for name in (folder, stem_of(folder), given) if group.cubes else ():
                if name and name != group.cubes[0].id:
                    found[name] = group.cubes[0].id
        return found

    def _looked_at(self, folder: str) -> tuple[ForeignGroup, float]:
        known = self._groups.get(folder)
        now = self._clock()
        recent = known is not None and now - known[1] < REMOTE_SECONDS
        if known is not None and recent and not self._store.is_local:
            return known
        before = known[0] if known is not None else None
        here = None if folder in self._pointers else before
        found = open_group(self._store, folder, self._cache, here)
        if found.digest:
            return found, now
        try:
            return self._elsewhere(folder, known, recent=recent) or (found, now)
        except DatacubeError as error:
            return ForeignGroup(folder, "?", (), (error.message,)), now

    def _elsewhere(
        self, folder: str, known: tuple[ForeignGroup, float] | None, *, recent: bool
    ) -> tuple[ForeignGroup, float] | None:
        """What is in a repository, or where a pointer leads; None where the folder is neither."""
        pointer, now = self._pointers.get(folder), self._clock()
        before = None if known is None else known[0]
        inside = self._in_repository(folder, before)
        if inside is not None:
            return inside, now
        there = self._pointed(folder)
        if self._pointers.get(folder) != pointer:
            known, before = None, None  # it leads elsewhere, whatever the documents there are
        if there is None or (known is not None and recent and not there.is_local):
            return None if there is None else known
        return open_group(there, "", self._cache, before, name=folder), now

    def _in_repository(self, folder: str, before: ForeignGroup | None) -> ForeignGroup | None:
        """The newest snapshot of an Icechunk repository; None where the folder is none."""
        if not folder or not is_repository(self._store.get_range(f"{folder}/repo", 0, 16)):
            self._repositories.pop(folder, None)
            return None
        known = self._repositories.get(folder)
        repository = Repository(self._store, folder) if known is None else known[0]
        tip = repository.tip()
        if known is not None and before is not None and known[1] == tip:
            return before
        self._repositories[folder] = repository, tip
        return open_group(ViewedObjects(repository, tip), "", self._cache, name=folder)

    def _pointed(self, folder: str) -> ObjectStore | None:
        """The group to which a folder's pointer leads, as a store."""
        pointer = read_pointer(self._store, folder)
        if pointer is None:
            self._pointers.pop(folder, None)
            return None
        known = self._pointers.get(folder)
        if known is None or known[0] != pointer:
            known = self._pointers[folder] = pointer, open_store(pointer.url)
        return known[1]


def is_part_of_others(store: ObjectStore, cube_id: str) -> bool:
    """Whether a group of others, or a registered one, has made an id for a cube in it.

    Its folder need not be called so: ``air.zarr`` makes ``air``, and ``air-2d`` of what is in it on
    another grid.
    """
    folders = [name for name in list_folders(store) if is_safe(name) and _may_make(name, cube_id)]
    ours = {name for name in folders if is_cube_id(name) and store.get(head_key(name)) is not None}
    return cube_id in ForeignCubes(store, ChunkCache()).look(ours, folders)


def _may_make(folder: str, cube_id: str) -> bool:
    base = ncname(stem_of(folder))
    return cube_id == base or cube_id.startswith(identifier(base).rstrip("-_"))


def _complain(group: ForeignGroup) -> None:
    some = "; ".join(group.reasons[:5])
    more = f" (and {len(group.reasons) - 5} more)" if len(group.reasons) > 5 else ""
    what = "parts of the Zarr group" if group.cubes else "the Zarr group"
    log.warning("%s '%s' cannot be served: %s%s", what, group.folder, clean(some), more)
