"""A cube's objects at one version: where in a snapshot each lies."""

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import cached_property
from typing import Any, override

from datacube.store.icechunk.documents import SLICES, opened
from datacube.store.icechunk.repository import IcechunkObjects, Repository
from datacube.store.keys import layout_of
from datacube.store.manifest import Version, head_key

_NUMBER = re.compile(r"\d+")

type Slot = tuple[int, int]
"""(layout, slot) of a slice, for ever; its row is its place in a version."""

type Rows = dict[Slot, int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a field.

    Parameters
    ----------
    array : str
        Path of its array.
    slot : Slot or None
        None in a cube without time.
    place : tuple of int
        Index along the further dimensions.
    """

    array: str
    slot: Slot | None
    place: tuple[int, ...]

    def path(self, row: int) -> str:
        """Where it lies in a snapshot."""
        index = self.place if self.slot is None else (row, *self.place)
        return "/".join((self.array, "c", *map(str, index)))


class PinnedObjects(IcechunkObjects):
    """Objects at a version.

    Parameters
    ----------
    repository : Repository
    snapshot : str
    version : Version
        At that snapshot.
    """

    def __init__(self, repository: Repository, snapshot: str, version: Version) -> None:
        super().__init__(repository)
        self.snapshot = snapshot
        self.version = version

    @cached_property
    def zarr(self) -> Any:
        """Icechunk's own Zarr store at the snapshot."""
        return self.repository.store_at(self.snapshot)

    @cached_property
    def rows(self) -> Rows:
        """Row of each slice."""
        return rows_of(self.version)

    @cached_property
    def _names(self) -> dict[str, int]:
        """Row of each slice document."""
        return {f"{SLICES}/{one.name}.json": row for row, one in enumerate(self.version.slices)}

    @override
    def get(self, key: str) -> bytes | None:
        """The whole object; None where there is none."""
        path = self.path(key)
        if key == head_key(self.repository.folder) or path.startswith("manifest/versions/"):
            return super().get(key)
        where = self._where(path)
        if where is None:
            return None
        data = self.read(self.zarr, where)
        return opened(data) if path.startswith("manifest/") else data

    @override
    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Some bytes of an object; None where there is none."""
        path = self.path(key)
        where = None if path.startswith("manifest/") else self._where(path)
        if where is None:
            return super().get_range(key, start, length)
        from zarr.abc.store import RangeByteRequest  # noqa: PLC0415  it loads slowly

        return self.read(self.zarr, where, RangeByteRequest(start, start + length))

    def chunk_of(self, path: str) -> Chunk | None:
        """The chunk of a field at a key below the cube's folder; None where it is none."""
        return chunk_of(path, timed=self.version.timed, fields=self.version.arrays)

    def _where(self, path: str) -> str | None:
        """Path in the snapshot; None where it cannot be there."""
        if path.startswith(SLICES):
            row = self._names.get(path)
            return None if row is None else f"{SLICES}/c/{row}"
        if path.startswith("manifest/segments/"):
            return f"{path.removesuffix('.json')}/c/0"
        chunk = self.chunk_of(path)
        if chunk is None:
            return path
        row = self.row_of(chunk.slot)
        return None if row is None else chunk.path(row)

    def row_of(self, slot: Slot | None) -> int | None:
        """Row of a slice; 0 in a cube without time."""
        return 0 if slot is None or not self.version.timed else self.rows.get(slot)


def pinned(objects: IcechunkObjects, manifest: str, version: Version) -> PinnedObjects:
    """A cube's objects at a version that was just read.

    Parameters
    ----------
    objects : IcechunkObjects
    manifest : str
        Name of the version's document.
    version : Version

    Raises
    ------
    StorageError
        It was removed in the meantime.
    """
    return PinnedObjects(objects.repository, objects.repository.snapshot_of(manifest), version)


def rows_of(version: Version) -> Rows:
    """Row of each slice of a version."""
    return {(one.layout, one.slot): row for row, one in enumerate(version.slices)}


def chunk_of(path: str, *, timed: bool, fields: Container[str] | None = None) -> Chunk | None:
    """The chunk at a key below the cube's folder; None where it is none (of those fields).

    Examples
    --------
    >>> chunk_of("overviews/1/v/c/7/0/3", timed=True, fields={"v"})
    Chunk(array='overviews/1/v', slot=(0, 7), place=(0, 3))
    >>> chunk_of("v/7.0.3", timed=True, fields={"v"})
    Chunk(array='v', slot=(3, 7), place=(0, 3))
    >>> chunk_of("v/zarr.json", timed=True, fields={"v"}) is None
    True
    """
    parts = path.split("/", 3)
    depth = 3 if parts[0] == "overviews" and len(parts) == 4 else 1
    steps = path.split("/", depth)
    rest, field = steps[-1], steps[-2] if len(steps) > 1 else ""
    found = layout_of(rest) if fields is None or field in fields else None
    if found is None:
        return None
    index = tuple(map(int, _NUMBER.findall(rest)))
    array = "/".join(steps[:-1])
    return Chunk(array, found, index[1:]) if timed else Chunk(array, None, index)
