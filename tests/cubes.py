"""Cubes whose every value can be computed by hand.

The value at time index t, row y (from the array's first row) and column x is::

    1000 * t + 10 * y + x + 100_000 * k + 10_000_000 * f

where k counts the places of the further axes in array order and f the fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from datacube.model.axis import Axis, TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.calendar import Calendar
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import Grid, RectifiedGrid
from datacube.model.time import Timestamp
from datacube.store.create import Storage, create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.history import read_head, read_version
from datacube.store.manifest import Head, SourceRecord, head_key
from datacube.store.objects import ObjectStore
from datacube.store.transaction import transaction
from datacube.store.url import open_store

type Formula = Callable[[int, int, int, NDArray[Any], NDArray[Any]], NDArray[Any]]
"""(t, k, f, y as a column, x as a row) -> values of shape (y, x)."""


def closed_form(t: Any, k: int, f: int, y: Any, x: Any) -> NDArray[Any]:
    """Value of the cell: 1000 * t + 10 * y + x + 100_000 * k + 10_000_000 * f."""
    return np.asarray(1000 * t + 10 * y + x + 100_000 * k + 10_000_000 * f)


def ticks_of(time: str, calendar: Calendar = "standard") -> int:
    """Tick of an ISO 8601 time."""
    return Timestamp.parse(time).ticks(calendar)


def make_description(
    cube_id: str = "closed",
    *,
    width: int = 20,
    height: int = 10,
    crs: str = "EPSG:4326",
    bbox: tuple[float, float, float, float] | None = None,
    transform: tuple[float, float, float, float] | None = None,
    flip_y: bool = False,
    grid: Grid | None = None,
    timed: bool = True,
    calendar: Calendar = "standard",
    axes: Sequence[Axis] = (),
    dtype: str = "int32",
    fields: Sequence[Field] | None = None,
    title: str = "",
    abstract: str = "",
    attribution: str = "",
    licence: str = "",
) -> CoverageDescription:
    """Description of a cube.

    ``bbox`` (left, bottom, right, top) are outer edges, default the globe; instead of it
    ``transform`` = (x0, dx, y0, dy) gives the first cell's *centre* and the signed steps.
    ``flip_y`` lays the southernmost row first. ``grid`` stands instead of all of these.
    """
    system = Crs.parse(crs)
    if grid is not None:
        pass
    elif transform is not None:
        x0, dx, y0, dy = transform
        grid = RectifiedGrid.from_centres(system, x0, dx, width, y0, dy, height)
    else:
        box = BoundingBox(*(bbox or (-180.0, -90.0, 180.0, 90.0)), system)
        grid = RectifiedGrid.from_bbox(box, width, height)
    if flip_y and isinstance(grid, RectifiedGrid):
        up = Affine(grid.dx, 0.0, grid.transform.c, 0.0, -grid.dy, grid.bbox.bottom)
        grid = RectifiedGrid(system, up, width, height)
    time = (TimeAxis("time", np.zeros(0, np.int64), calendar),) if timed else ()
    return CoverageDescription(
        cube_id,
        title or f"Cube {cube_id}",
        abstract,
        DomainSet(grid, (*time, *axes)),
        RangeType(tuple(fields) if fields is not None else (Field("v", dtype),)),
        attribution=attribution,
        licence=licence,
    )


def slice_values(
    description: CoverageDescription, t: int, formula: Formula = closed_form
) -> dict[str, NDArray[Any]]:
    """Values of every field at time index t: (axes…, y, x) in the field's dtype."""
    axes = [axis for axis in description.domain.axes if axis is not description.domain.time]
    sizes = tuple(axis.size for axis in axes)
    height, width = description.domain.grid.shape
    y, x = np.arange(height)[:, np.newaxis], np.arange(width)[np.newaxis, :]
    values = {}
    for f, field in enumerate(description.range_type.fields):
        whole = np.empty((*sizes, height, width), field.dtype)
        for k, place in enumerate(np.ndindex(*sizes)):
            whole[place] = np.broadcast_to(formula(t, k, f, y, x), (height, width))
        values[field.name] = whole
    return values


def make_cube(
    store_url: str | Path | ObjectStore,
    cube_id: str = "closed",
    *,
    times: Sequence[str] | None = ("2020-01-01",),
    formula: Formula = closed_form,
    chunks: Mapping[str, int] | None = None,
    levels: int | None = None,
    attributes: Mapping[str, Any] | None = None,
    series: int | None = None,
    **description: Any,
) -> CubeStore:
    """Make a cube of closed-form values and open it.

    Parameters
    ----------
    store_url : URL, path or object store
    times : ISO 8601 texts, one commit for all; None makes a cube without time
    formula : Formula
    chunks, levels, attributes, series
        As of :func:`datacube.store.transaction.create_cube`.
    description
        Keywords of :func:`make_description`.

    Examples
    --------
    >>> import tempfile
    >>> cube = make_cube(tempfile.mkdtemp(), times=("2020-01-01", "2020-01-02"))
    >>> int(cube.chunk("v", 0, (1, 0, 0))[0, 3, 7])
    1037
    """
    store = open_store(str(store_url)) if isinstance(store_url, str | Path) else store_url
    made = make_description(cube_id, timed=times is not None, **description)
    create_cube(
        store,
        made,
        chunks=chunks,
        levels=levels,
        attributes=attributes,
        series=series,
        storage=storage_of(store),
    )
    add_slices(store, made, times, formula=formula)
    return open_cube(store, cube_id)


def storage_of(store: ObjectStore) -> Storage:
    """What holds the cubes that tests make in a store."""
    return getattr(store, "storage", "plain")


def add_slices(
    store: ObjectStore,
    description: CoverageDescription,
    times: Sequence[str] | None,
    *,
    first: int = 0,
    formula: Formula = closed_form,
    revision: int = 0,
) -> None:
    """Write times in one transaction; ``first`` is the time index of the first of them."""
    time = description.domain.time
    with transaction(store, description.id, "closed form") as tx:
        if time is None or times is None:
            tx.write_slice(None, slice_values(description, 0, formula), SourceRecord("made"))
            return
        for t, text in enumerate(times, start=first):
            ticks = ticks_of(text, time.calendar)
            values = slice_values(description, t, formula)
            tx.write_slice(ticks, values, SourceRecord(text), revision=revision)


def read_level(cube: CubeStore, field: str, t: int | None = 0, level: int = 0) -> NDArray[Any]:
    """All values of a field at a time and level, (axes…, y, x), pasted from the chunks."""
    shape = cube.chunk_shape(field, level)[1 if cube.timed else 0 :]
    counts = cube.chunk_counts(field, level)[1 if cube.timed else 0 :]
    grid = cube.description.levels[level].grid
    axes = cube.description.domain.shape[1 if cube.timed else 0 : -2]
    whole = np.empty(
        (*axes, counts[-2] * shape[-2], counts[-1] * shape[-1]), field_dtype(cube, field)
    )
    for place in np.ndindex(*counts):
        index = (t or 0, *place) if cube.timed else place
        row, column = place[-2] * shape[-2], place[-1] * shape[-1]
        part = cube.chunk(field, level, index)
        height, width = part.shape[-2:]
        rows, columns = slice(row, row + height), slice(column, column + width)
        whole[(*place[:-2], rows, columns)] = part.reshape(height, width)
    return whole[..., : grid.height, : grid.width]


def time_of(cube: CubeStore) -> TimeAxis:
    """The cube's time axis."""
    axis = cube.description.domain.time
    assert axis is not None
    return axis


def field_dtype(cube: CubeStore, field: str) -> np.dtype[Any]:
    """Stored dtype of a field."""
    return np.dtype(cube.description.range_type.field(field).dtype)


def repeat_slices(store: ObjectStore, cube_id: str, ticks: Sequence[int]) -> CubeStore:
    """Give a cube other times: the n-th has the values of the n-th slice, in turn from the first.

    So many times cost no more than the slices that were written.
    """
    head = read_head(store, cube_id)
    version = read_version(store, cube_id, head.manifest)
    there = version.slices
    slices = tuple(there[n % len(there)]._replace(ticks=tick) for n, tick in enumerate(ticks))
    number = version.number + 1
    made = replace(version, number=number, parent=head.manifest, slices=slices, plain=0)
    manifest, data = made.dump()
    store.put(f"{cube_id}/{manifest}", data)
    store.put(head_key(cube_id), Head(number, manifest).dump())
    return open_cube(store, cube_id)
