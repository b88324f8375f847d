"""More places along the axes of a cube: another scenario, a further ensemble member, deeper levels.

A chunk holds one place of each further axis, so that those that are there keep their keys: nothing
but the tables of the slices is written anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from datacube.errors import InvalidSubset
from datacube.model.axis import Axis, axis_part, axis_values
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.store.history import read_slice_document
from datacube.store.layout import chunk_counts
from datacube.store.manifest import Version
from datacube.store.objects import ObjectStore
from datacube.store.slices import Slice
from datacube.store.tables import ChunkTable, slice_key
from datacube.store.writer import Uploader


def widened(store: ObjectStore, uploader: Uploader, base: Version, axes: Sequence[Axis]) -> Version:
    """The same values with further places at the end of axes; no data there.

    Parameters
    ----------
    store : ObjectStore
    uploader : Uploader
        Writes the tables.
    base : Version
    axes : sequence of Axis
        All but time; each begins with the places that the cube has.

    Raises
    ------
    InvalidSubset
        An axis does not, or the cube has no time.
    StorageError
        A slice document is damaged, or the storage failed.
    """
    template = _with_axes(base, axes)
    sizes = tuple(axis.size for axis in axes)
    arrays = {
        name: tuple(_with_sizes(metadata, sizes) for metadata in levels)
        for name, levels in base.arrays.items()
    }
    slices: list[Slice] = list(base.slices)

    def rewrite(position: int) -> None:
        one = base.slices[position]
        document = read_slice_document(store, template.id, one.name)
        fields = {
            name: tuple(
                _padded(table, chunk_counts(metadata, timed=True), sizes)
                for table, metadata in zip(tables, base.arrays[name], strict=True)
            )
            for name, tables in document.fields.items()
        }
        name, data = replace(document, fields=fields).dump()
        uploader.put_new(slice_key(template.id, name), data)
        slices[position] = one._replace(name=name)

    for position in range(len(slices)):
        uploader.submit(partial(rewrite, position))
    uploader.drain()
    series = None if base.series is None else replace(base.series, segments=())
    return replace(base, template=template, arrays=arrays, slices=tuple(slices), series=series)


def _with_axes(base: Version, axes: Sequence[Axis]) -> CoverageDescription:
    known = base.template
    time = known.domain.time
    before = [one for one in known.domain.axes if one is not time]
    if time is None or [one.name for one in axes] != [one.name for one in before]:
        raise InvalidSubset(
            f"cube '{known.id}' has no time, or other axes: it cannot be widened", subject=known.id
        )
    for old, new in zip(before, axes, strict=True):
        if new.size < old.size or not _same(old, axis_part(new, 0, old.size)):
            raise InvalidSubset(
                f"the axis '{old.name}' does not begin with its places in cube '{known.id}'",
                subject=old.name,
            )
    return replace(known, domain=DomainSet(known.domain.grid, (time, *axes)))


def _same(old: Axis, new: Axis) -> bool:
    """Whether two axes have the same places."""
    return list(axis_values(old)) == list(axis_values(new))


def _with_sizes(metadata: Mapping[str, Any], sizes: tuple[int, ...]) -> dict[str, Any]:
    shape = metadata["shape"]
    return {**metadata, "shape": [shape[0], *sizes, *shape[-2:]]}


def _padded(table: ChunkTable, counts: tuple[int, ...], sizes: tuple[int, ...]) -> ChunkTable:
    """A table with room for further places at the end of each axis."""
    rows = [(0, more - count) for more, count in zip((*sizes, *counts[-2:]), counts, strict=True)]
    parts = (np.pad(one.reshape(counts), rows).ravel() for one in (table.sizes, table.checksums))
    return ChunkTable(*parts)
