"""Positions of the cells of a curvilinear grid or swath: the arrays ``lon`` and ``lat`` of a cube.

They are two-dimensional coordinates by the CF conventions (1.11, section 5.2), lie beside the
fields of each level, and never change. A version names those of the finest level by their digest,
by which they are checked when they are read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.model.crs import Crs
from datacube.model.grid import ReferenceableGrid, halved_grids
from datacube.store.cache import ChunkCache
from datacube.store.codecs import ArrayCodec
from datacube.store.layout import array_metadata
from datacube.store.objects import ObjectStore

type Json = dict[str, Any]
type Grids = tuple[ReferenceableGrid, ...]
type ReadGrids = Callable[[Crs, Json, int], Grids]
"""CRS, grid as a version names it and number of levels -> grid of each level, the finest first."""

NAMES = ("lon", "lat")
"""Names of the arrays, x before y."""

_BAND = 4 << 20
_TEXTS = {
    "lon": {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"},
    "lat": {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"},
}


@dataclass(frozen=True, eq=False)
class _Held:
    """The grids of a cube's levels as the cache keeps them."""

    grids: Grids

    @property
    def held_bytes(self) -> int:
        return sum(one.x.nbytes + one.y.nbytes for one in self.grids)


def dump_positions(grid: ReferenceableGrid) -> Json:
    """How a version names a grid."""
    return {"positions": grid.digest, "width": grid.width, "height": grid.height}


def position_documents(shape: tuple[int, int]) -> dict[str, Json]:
    """Zarr v3 metadata of the arrays, with their CF attributes, by name."""
    return {name: {**_metadata(shape), "attributes": _TEXTS[name]} for name in NAMES}


def position_chunks(grid: ReferenceableGrid) -> Iterator[tuple[str, bytes]]:
    """Chunks of the arrays by their key below the level's folder."""
    codec = ArrayCodec.parse(_metadata(grid.shape))
    rows = codec.chunk_shape[0]
    for name, values in zip(NAMES, (grid.x, grid.y), strict=True):
        for number, start in enumerate(range(0, grid.height, rows)):
            band = np.full(codec.chunk_shape, np.nan)
            part = values[start : start + rows]
            band[: len(part)] = part
            yield f"{name}/c/{number}/0", codec.encode(band)


def grids_reader(store: ObjectStore, cube_id: str, cache: ChunkCache | None = None) -> ReadGrids:
    """What reads the grids of a cube; kept in the cache, where there is one."""

    def read(crs: Crs, said: Json, levels: int) -> Grids:
        def load() -> _Held:
            finest = _read(store, cube_id, crs, said)
            return _Held(tuple(halved_grids(finest, levels)))

        if cache is None:
            return load().grids
        key = f"{store.url}|{cube_id}|{said['positions']}"
        return cache.document(key, load).grids

    return read


def _read(store: ObjectStore, cube_id: str, crs: Crs, said: Json) -> ReferenceableGrid:
    shape = int(said["height"]), int(said["width"])
    x, y = (_array(store, f"{cube_id}/{name}", shape) for name in NAMES)
    grid = ReferenceableGrid(crs, x, y)
    if grid.digest != said["positions"]:
        raise StorageError(
            f"the positions (lon, lat) of cube '{cube_id}' are not those it was made with",
            subject=cube_id,
        )
    return grid


def _array(store: ObjectStore, key: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    codec = ArrayCodec.parse(_metadata(shape))
    rows = codec.chunk_shape[0]
    values = np.empty(shape)
    for number, start in enumerate(range(0, shape[0], rows)):
        data = store.get(f"{key}/c/{number}/0")
        if data is None:
            raise StorageError(f"the positions {key} are incomplete", subject=key)
        part = values[start : start + rows]
        part[:] = codec.decode(data)[: len(part)]
    return values


def _metadata(shape: tuple[int, int]) -> Json:
    height, width = shape
    rows = min(max(_BAND // (8 * width), 1), height)
    blosc = {"typesize": 8, "cname": "zstd", "clevel": 5, "shuffle": "shuffle", "blocksize": 0}
    codecs: list[Json] = [
        {"name": "bytes", "configuration": {"endian": "little"}},
        {"name": "blosc", "configuration": blosc},
    ]
    return array_metadata("float64", shape, (rows, width), float("nan"), codecs, ("y", "x"))
