"""How a cube lies in its store: names, chunk shapes, codecs, fill values and overviews."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

import numpy as np

from datacube.model.axis import Axis, TimeAxis
from datacube.model.coverage import CoverageDescription, Level
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType, held_nil
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid, halved_grids
from datacube.store.keys import chunk_name

CHUNK = 512
"""Default side of a chunk in cells; also the longest side of the coarsest overview."""

SERIES_STEPS = 256
"""Default number of times in a segment of the series copy.

A chunk of 256 times by 16 x 16 cells takes 128 kB as int16 and is decoded in about 0.15 ms, no
longer than one map chunk; longer segments leave more times at the end to the map chunks.
"""

SERIES_SIDE = 16
"""Side of a chunk of the series copy in cells."""

RESERVED = frozenset({"manifest", "overviews", "series", "spatial_ref", "zarr.json"})


@dataclass(frozen=True, slots=True)
class ChunkGrid:
    """Where the chunks of one level lie on its horizontal grid.

    Parameters
    ----------
    height, width : int, cells of the level
    chunk_height, chunk_width : int, cells of a chunk

    Examples
    --------
    >>> ChunkGrid(900, 1800, 512, 512).counts
    (2, 4)
    """

    height: int
    width: int
    chunk_height: int
    chunk_width: int

    @property
    def counts(self) -> tuple[int, int]:
        """(rows, columns) of chunks."""
        return -(-self.height // self.chunk_height), -(-self.width // self.chunk_width)

    def cells(self, row: int, column: int) -> tuple[slice, slice]:
        """The cells (rows, columns) of the level that a chunk covers, cut at the grid's edge."""
        top, left = row * self.chunk_height, column * self.chunk_width
        bottom = min(top + self.chunk_height, self.height)
        return slice(top, bottom), slice(left, min(left + self.chunk_width, self.width))


def make_levels(grid: Grid, chunks: tuple[int, int], count: int | None = None) -> tuple[Level, ...]:
    """The grid and its overviews: halved until the longer side fits into one chunk.

    Parameters
    ----------
    grid : Grid
    chunks : (height, width) of a chunk
    count : int, optional
        Exactly so many levels instead.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> globe = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 7200, 3600)
    >>> [level.grid.width for level in make_levels(globe, (512, 512))]
    [7200, 3600, 1800, 900, 450]
    """
    if count is None:
        count = 1
        while -(-max(grid.shape) // 2 ** (count - 1)) > max(chunks):
            count += 1
    match grid:
        case RectifiedGrid():
            return tuple(Level(k, 2**k, grid.coarsened(2**k)) for k in range(count))
        case ReferenceableGrid():
            return tuple(Level(k, 2**k, one) for k, one in enumerate(halved_grids(grid, count)))


def chunk_sides(grid: Grid, chunks: Mapping[str, int] | None) -> tuple[int, int]:
    """(height, width) of level 0's chunks: asked by ``x`` and ``y``, at most the grid's size.

    Raises
    ------
    ValueError
        A side is odd although the axis has several chunks: overviews halve chunks.
    """
    asked = chunks or {}
    sides = min(asked.get("y", CHUNK), grid.height), min(asked.get("x", CHUNK), grid.width)
    for name, side, size in (("y", sides[0], grid.height), ("x", sides[1], grid.width)):
        if side < 1 or (side < size and side % 2):
            raise ValueError(f"chunks of {side} cells along {name}: an even number is needed")
    return sides


def chunk_grid(level: Level, sides: tuple[int, int]) -> ChunkGrid:
    """The chunk grid of a level, given the sides of level 0's chunks."""
    height, width = level.grid.shape
    return ChunkGrid(height, width, min(sides[0], height), min(sides[1], width))


def storable(description: CoverageDescription, levels: tuple[Level, ...]) -> CoverageDescription:
    """The description as a cube is made of it: time first and still empty, levels set.

    Raises
    ------
    ValueError
        A name is reserved or used twice, a dtype is neither integer nor float, a float field marks
        no data by a number, or one of whole numbers by what none of them is.
    """
    time = description.domain.time
    others = tuple(axis for axis in description.domain.axes if axis is not time)
    axes = others
    if time is not None:
        empty = np.zeros(0, np.int64)
        axes = (TimeAxis(time.name, empty, time.calendar, None, time.title), *others)
    fields = description.range_type.fields
    grid = description.domain.grid
    taken = _taken(grid, axes)
    for field in fields:
        if field.name in taken:
            raise ValueError(f"the field name '{field.name}' is reserved or an axis of the cube")
        if np.dtype(field.dtype).kind not in "iuf":
            raise ValueError(f"field '{field.name}': values of dtype {field.dtype} are not stored")
        if np.dtype(field.dtype).kind == "f" and not isnan(nan if field.nil is None else field.nil):
            raise ValueError(f"the float field '{field.name}' must mark no data by NaN")
        _check_nil(field)
    domain = DomainSet(grid, axes)
    return replace(description, domain=domain, levels=levels, snapshot="")


def _taken(grid: Grid, axes: Sequence[Axis]) -> frozenset[str]:
    """Names that no field may have."""
    taken = RESERVED | set(horizontal_names(grid))
    if isinstance(grid, ReferenceableGrid):
        taken |= {"lon", "lat"}
    names = {axis.name for axis in axes}
    if clash := sorted(taken & names):
        raise ValueError(f"the axis name '{clash[0]}' is reserved or one of the grid's own")
    return taken | names


def _check_nil(field: Field) -> None:
    """Refuse whole numbers that mark no data by a number which their type does not hold."""
    dtype = np.dtype(field.dtype)
    if dtype.kind != "f" and field.nil is not None and held_nil(field.nil, dtype) is None:
        info = np.iinfo(dtype)
        raise ValueError(
            f"field '{field.name}': no data is marked by {field.nil:g}, which no {dtype.name} is; "
            f"these are whole numbers from {info.min} to {info.max}"
        )


def horizontal_names(grid: Grid) -> tuple[str, str]:
    """Names of the dimensions (x, y)."""
    rectified = isinstance(grid, RectifiedGrid)
    return ("lon", "lat") if rectified and grid.crs.geographic else ("x", "y")


def fill_of(field: Field) -> int | float:
    """Fill value: the nil value; NaN for floats; for integers without nil a type's extreme.

    Never zero by default: GDAL takes the fill value as no-data.
    """
    dtype = np.dtype(field.dtype)
    if dtype.kind == "f":
        return float("nan")
    if field.nil is not None:
        return int(field.nil)
    info = np.iinfo(dtype)
    return int(info.min) if dtype.kind == "i" else int(info.max)


def codecs_of(field: Field) -> list[dict[str, Any]]:
    """Codec chain: blosc lz4 with byte shuffle; zstd for categories and single bytes.

    Blosc makes the blocks twice as large as it is told for lz4: 64 KiB, so that the few rows that a
    tile needs are decoded without the others.
    """
    dtype = np.dtype(field.dtype)
    if field.categories or field.overview == "mode" or dtype.itemsize == 1:
        last = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
    else:
        last = {
            "name": "blosc",
            "configuration": {
                "typesize": dtype.itemsize,
                "cname": "lz4",
                "clevel": 5,
                "shuffle": "shuffle",
                "blocksize": 32 << 10,
            },
        }
    return [bytes_codec(dtype), last]


def bytes_codec(dtype: np.dtype[Any]) -> dict[str, Any]:
    """The codec that turns an array into bytes."""
    if dtype.itemsize == 1:
        return {"name": "bytes"}
    return {"name": "bytes", "configuration": {"endian": "little"}}


def array_metadata(
    dtype: str,
    shape: tuple[int, ...],
    chunk_shape: tuple[int, ...],
    fill: float,
    codecs: list[dict[str, Any]],
    dimension_names: tuple[str, ...],
) -> dict[str, Any]:
    """Zarr v3 metadata of an array, without attributes."""
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN" if isnan(fill) else fill,
        "codecs": codecs,
        "dimension_names": list(dimension_names),
        "storage_transformers": [],
    }


def field_metadata(
    description: CoverageDescription, field: Field, level: Level, sides: tuple[int, int]
) -> dict[str, Any]:
    """Zarr v3 metadata of a field at a level; chunks hold one time and one place of each axis."""
    grid = chunk_grid(level, sides)
    axes = description.domain.axes
    x, y = horizontal_names(description.domain.grid)
    return array_metadata(
        field.dtype,
        (*(axis.size for axis in axes), grid.height, grid.width),
        (*(1 for _ in axes), grid.chunk_height, grid.chunk_width),
        fill_of(field),
        codecs_of(field),
        (*(axis.name for axis in axes), y, x),
    )


def field_levels(
    description: CoverageDescription, field: Field, arrays: Mapping[str, tuple[Any, ...]]
) -> tuple[dict[str, Any], ...]:
    """Zarr v3 metadata of a further field of a cube, for each level.

    Parameters
    ----------
    description : CoverageDescription
        Of the cube, without the field.
    field : Field
    arrays : field -> metadata for each level

    Raises
    ------
    ValueError
        The name is reserved or used, or the values cannot be stored.
    """
    more = RangeType((*description.range_type.fields, field))
    made = storable(replace(description, range_type=more), description.levels)
    metadata = next(iter(arrays.values()))[0]
    height, width = metadata["chunk_grid"]["configuration"]["chunk_shape"][-2:]
    return tuple(field_metadata(made, field, one, (height, width)) for one in made.levels)


def level_path(level: int) -> str:
    """Folder of a level's group below the cube: empty for level 0."""
    return f"overviews/{level}/" if level else ""


def chunk_key(cube_id: str, level: int, field: str, index: tuple[int, ...], layout: int = 0) -> str:
    """Key of a chunk; index is the physical one.

    Examples
    --------
    >>> chunk_key("sst", 1, "analysed", (7, 0, 3))
    'sst/overviews/1/analysed/c/7/0/3'
    >>> chunk_key("sst", 0, "analysed", (7, 0, 3), layout=3)
    'sst/analysed/7.0.3'
    """
    return f"{cube_id}/{level_path(level)}{field}/{chunk_name(index, layout)}"


def chunk_counts(metadata: Mapping[str, Any], *, timed: bool) -> tuple[int, ...]:
    """Number of chunks along each dimension of an array but time: (axes…, rows, columns)."""
    first = 1 if timed else 0
    shape = metadata["shape"][first:]
    sides = metadata["chunk_grid"]["configuration"]["chunk_shape"][first:]
    return tuple(-(-size // side) for size, side in zip(shape, sides, strict=True))


def series_key(cube_id: str, field: str, segment: str, index: tuple[int, ...]) -> str:
    """Key of an object of the series copy: chunks of one row, a Zarr shard.

    Examples
    --------
    >>> series_key("sst", "analysed", "00000000-0123456789ab", (7, 0))
    'sst/series/analysed/00000000-0123456789ab/c/0/7/0'
    """
    return f"{cube_id}/series/{field}/{segment}/c/0/{'/'.join(map(str, index))}"


def series_chunk_metadata(
    field: Field, count: int, axes: int, sides: tuple[int, int]
) -> dict[str, Any]:
    """Zarr v3 metadata of one chunk of the series copy.

    Parameters
    ----------
    field : Field
    count : int, times
    axes : int, number of further axes
    sides : (height, width) in cells
    """
    dtype = np.dtype(field.dtype)
    blosc = {
        "typesize": dtype.itemsize,
        "cname": "zstd",
        "clevel": 3,
        "shuffle": "bitshuffle",
        "blocksize": 0,
    }
    codecs = [bytes_codec(dtype), {"name": "blosc", "configuration": blosc}]
    shape = (count, *(1 for _ in range(axes)), *sides)
    metadata = array_metadata(field.dtype, (), shape, fill_of(field), codecs, ())
    return {key: metadata[key] for key in ("data_type", "chunk_grid", "fill_value", "codecs")}


def series_metadata(
    chunk: Mapping[str, Any], across: int, sizes: tuple[int, ...]
) -> dict[str, Any]:
    """Zarr v3 metadata of a segment as an array of its own, without attributes.

    Parameters
    ----------
    chunk : mapping, as of :func:`series_chunk_metadata`
    across : int, chunks in one shard
    sizes : (axes…, y, x)
    """
    inner = list(chunk["chunk_grid"]["configuration"]["chunk_shape"])
    sharding = {
        "chunk_shape": inner,
        "codecs": chunk["codecs"],
        "index_codecs": [bytes_codec(np.dtype("uint64")), {"name": "crc32c"}],
        "index_location": "end",
    }
    codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    shard = (*inner[:-1], inner[-1] * across)
    dtype = chunk["data_type"]
    metadata = array_metadata(dtype, (inner[0], *sizes), shard, 0, codecs, ())
    return {**metadata, "fill_value": chunk["fill_value"]}
