"""Making cubes: the folder, its first version and its place in the store's index."""

from collections.abc import Mapping
from typing import Any, Literal

from datacube.errors import ConflictError
from datacube.model.coverage import CoverageDescription
from datacube.model.grid import ReferenceableGrid
from datacube.store.cube import CubeStore, open_cube
from datacube.store.home import new_home
from datacube.store.index import is_cube_id, note_in_index
from datacube.store.layout import (
    SERIES_SIDE,
    chunk_sides,
    field_metadata,
    make_levels,
    storable,
)
from datacube.store.manifest import Head, Version, head_key, now
from datacube.store.objects import ObjectStore
from datacube.store.plain import write_plain
from datacube.store.positions import position_chunks
from datacube.store.records import SeriesRecord

type Storage = Literal["plain", "icechunk"]
"""What holds a cube."""


def create_cube(
    store: ObjectStore,
    description: CoverageDescription,
    *,
    chunks: Mapping[str, int] | None = None,
    levels: int | None = None,
    attributes: Mapping[str, Any] | None = None,
    series: int | None = None,
    storage: Storage = "plain",
) -> CubeStore:
    """Make an empty cube.

    Parameters
    ----------
    store : ObjectStore
    description : CoverageDescription
        Its time axis only says that there is one, its name and its calendar: times come with the
        slices. Levels are made here.
    chunks : mapping of ``x`` and ``y`` to cells, optional
        Default 512.
    levels : int, optional
        Number of levels; default: halve until the longer side fits into a chunk.
    attributes : mapping, optional
        Further attributes of the Zarr group: institution, history, source …
    series : int, optional
        Keep a second copy whose chunks are long in time, in segments of so many times
        (:data:`~datacube.store.layout.SERIES_STEPS` is a good number). Without time, there is
        none.
    storage : "plain" or "icechunk"
        Whether the cube is a plain Zarr group or an Icechunk repository.

    Raises
    ------
    ConflictError
        There is a cube of that id.
    ValueError
        The description cannot be stored.
    StorageError
        The storage failed, or the library of Icechunk is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from datacube.model.axis import TimeAxis
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> from datacube.model.domain import DomainSet
    >>> from datacube.model.fields import Field, RangeType
    >>> from datacube.model.grid import RectifiedGrid
    >>> from datacube.store.transaction import transaction
    >>> from datacube.store.url import open_store
    >>> grid = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 4, 2)
    >>> times = TimeAxis("time", np.zeros(0, np.int64))
    >>> store = open_store(tempfile.mkdtemp())
    >>> cube = create_cube(store, CoverageDescription(
    ...     "sst", "SST", "", DomainSet(grid, (times,)), RangeType((Field("v", "int16"),))))
    >>> with transaction(store, "sst", "first day") as tx:
    ...     tx.write_slice(0, {"v": np.arange(8, dtype="int16").reshape(2, 4)})
    >>> cube.refreshed().chunk("v", 0, (0, 0, 0)).tolist()
    [[[0, 1, 2, 3], [4, 5, 6, 7]]]
    """
    if not is_cube_id(description.id):
        raise ValueError(f"'{description.id}' is no cube id: letters, digits, _ and - only")
    sides = chunk_sides(description.domain.grid, chunks)
    made = storable(description, make_levels(description.domain.grid, sides, levels))
    arrays = {
        field.name: tuple(field_metadata(made, field, level, sides) for level in made.levels)
        for field in made.range_type.fields
    }
    if series is not None and series < 2:
        raise ValueError(f"segments of {series} times: the series copy needs 2 at least")
    version = Version(
        number=1,
        parent="",
        committed=now(),
        message="create",
        template=made,
        arrays=arrays,
        attributes=dict(attributes or {}),
        series=None if series is None or made.domain.time is None else new_series(made, series),
    )
    claim = store.claim(f"{made.id}/manifest/claims/create")
    try:
        if claim is None or not _made(store, version, storage):
            raise ConflictError(
                f"there is already a cube '{made.id}' in {store.url}", subject=made.id
            )
        note_in_index(store, made.id)
    finally:
        if claim is not None:
            claim.release()
    return open_cube(store, made.id)


def _made(store: ObjectStore, version: Version, storage: Storage) -> bool:
    """Write the first version and its head; False where there is one already."""
    cube_id = version.template.id
    if store.get(head_key(cube_id)) is not None:
        return False
    objects = new_home(store, cube_id) if storage == "icechunk" else store
    grid = version.template.domain.grid
    if isinstance(grid, ReferenceableGrid):
        for key, chunk in position_chunks(grid):
            objects.put(f"{cube_id}/{key}", chunk)
    name, data = version.dump()
    objects.put(f"{cube_id}/{name}", data)
    objects.sync([f"{cube_id}/{name}"])
    new = objects.put_if(head_key(cube_id), Head(1, name).dump(), None)
    if objects is not store:  # found by its head, even if a writer died before it wrote that
        found = store.put_if(head_key(cube_id), Head(0, "", storage).dump(), None)
        return new and found
    if new:
        write_plain(store, version, first=True)
    return new


def new_series(description: CoverageDescription, steps: int) -> SeriesRecord:
    """A series copy that has no segment yet."""
    height, width = description.domain.grid.shape
    return SeriesRecord(steps, (min(SERIES_SIDE, height), min(SERIES_SIDE, width)))
