"""A cube at one version as the objects of a plain Zarr v3 group.

The group under the cube's own folder shows the last layout that was complete in the order of
time; this one shows exactly what was committed: logical times in their order, stored bytes as they
are, metadata and coordinates made from the version.
"""

import json
from dataclasses import replace

from datacube.errors import StorageError
from datacube.model.grid import ReferenceableGrid
from datacube.store.cube import CubeStore
from datacube.store.plain import plain_objects
from datacube.store.positions import NAMES
from datacube.store.reader import chunk_damage
from datacube.store.tables import flat_index


def committed_object(cube: CubeStore, path: str) -> bytes | None:
    """One object of the group.

    Parameters
    ----------
    cube : CubeStore
    path : str
        Below the group: ``zarr.json``, ``overviews/1/sst/c/7/0/3``.

    Returns
    -------
    data : bytes, or None where the group has no such object (a chunk of nothing but fill has none)

    Raises
    ------
    StorageError
        A chunk is missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from datacube.store.create import create_cube
    >>> from datacube.store.url import open_store
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.coverage import CoverageDescription
    >>> from datacube.model.crs import CRS84
    >>> from datacube.model.domain import DomainSet
    >>> from datacube.model.fields import Field, RangeType
    >>> from datacube.model.grid import RectifiedGrid
    >>> grid = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 4, 2)
    >>> cube = create_cube(open_store(tempfile.mkdtemp()), CoverageDescription(
    ...     "sst", "SST", "", DomainSet(grid), RangeType((Field("v", "int16"),))))
    >>> json.loads(committed_object(cube, "v/zarr.json"))["shape"]
    [2, 4]
    >>> committed_object(cube, "v/c/0/0") is None
    True
    """
    field, level, index = _place(path)
    if field in cube.description.range_type.names and index is not None:
        return _chunk(cube, field, level, index)
    if field in NAMES and index is not None and _is_curvilinear(cube):
        return cube.store.get(f"{cube.id}/{path}")
    version = replace(cube.record, layout=0, plain=len(cube.record.slices))
    documents, chunks = plain_objects(version)
    if path in chunks:
        return chunks[path]
    group, _, name = path.rpartition("/")
    document = documents.get(group) if name == "zarr.json" else None
    return None if document is None else json.dumps(document).encode()


def _is_curvilinear(cube: CubeStore) -> bool:
    """Whether the cube has positions of its cells, which are the same in every version."""
    return isinstance(cube.description.domain.grid, ReferenceableGrid)


def _place(path: str) -> tuple[str, int, tuple[int, ...] | None]:
    """Field, level and chunk index of a path; no index where it is no chunk's."""
    parts = path.split("/")
    level = 0
    if parts[0] == "overviews" and len(parts) > 2 and parts[1].isdecimal():
        level, parts = int(parts[1]), parts[2:]
    numbers = parts[2:]
    if parts[1:2] != ["c"] or not all(one.isdecimal() and len(one) < 10 for one in numbers):
        return parts[0], level, None
    return parts[0], level, tuple(map(int, numbers))


def _chunk(cube: CubeStore, field: str, level: int, index: tuple[int, ...]) -> bytes | None:
    if level >= len(cube.description.levels) or not cube.record.slices:
        return None
    counts = cube.chunk_counts(field, level)
    inside = len(index) == len(counts) and all(
        at < count for at, count in zip(index, counts, strict=True)
    )
    if not inside:
        return None
    slot_index, place = (index[0], index[1:]) if cube.timed else (0, index)
    tables = cube.slice_document(slot_index).fields.get(field)
    flat = flat_index(place, counts[1:] if cube.timed else counts)
    size = 0 if tables is None else int(tables[level].sizes[flat])
    if tables is None or size == 0:
        return None
    data = cube.store.get(cube.chunk_object(field, level, slot_index, place))
    damage = chunk_damage(data, size, int(tables[level].checksums[flat]))
    if damage is not None:
        what = cube.describe_chunk(field, level, slot_index, place)
        raise StorageError(f"{damage} ({what})", subject=cube.id)
    return data
