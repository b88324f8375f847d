"""What a cube holds already, as a source for what is laid over it."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from datacube.store.cube import CubeStore
from datacube.store.layout import fill_of


@dataclass(frozen=True, eq=False)
class StoredBand:
    """A field of a cube at one committed instant, as a source.

    Parameters
    ----------
    cube : CubeStore
    field : str
    place : int, along time
    """

    cube: CubeStore
    field: str
    place: int

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; no data at places that the cube does not have."""
        height, width = self.cube.chunk_shape(self.field)[-2:]
        known = self.cube.description.range_type.field(self.field)
        sizes = self.cube.chunk_counts(self.field, 0)[1:-2]
        if any(at >= size for at, size in zip(index, sizes, strict=True)):
            return np.full((row1 - row0, column1 - column0), fill_of(known), known.dtype)
        out = np.empty((row1 - row0, column1 - column0), known.dtype)
        rows = range(row0 // height, -(-row1 // height))
        columns = range(column0 // width, -(-column1 // width))
        for row, column in product(rows, columns):
            chunk = self.cube.chunk(self.field, 0, (self.place, *index, row, column))
            values = chunk.reshape(chunk.shape[-2:])
            top, left = row * height, column * width
            inner = values[
                max(row0 - top, 0) : row1 - top,
                max(column0 - left, 0) : column1 - left,
            ]
            place = max(top - row0, 0), max(left - column0, 0)
            part = out[place[0] : place[0] + inner.shape[0], place[1] : place[1] + inner.shape[1]]
            part[...] = inner[: part.shape[0], : part.shape[1]]
        return out
