"""What the engine needs of a cube to read it, whoever wrote it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from datacube.model.coverage import CoverageDescription
from datacube.store.series import SeriesCopy
from datacube.store.statistics import FieldStatistics

type ChunkIndex = tuple[int, ...]
"""(time, axes…, row, column) of a chunk; time only where the cube has it."""

type Rows = tuple[int, int]
"""The first row that is wanted, and the one after the last."""

type RowReader = Callable[[ChunkIndex, Rows], NDArray[Any]]
"""(row, column) of a chunk and rows -> the chunk, read-only; its other rows may be anything."""


class CubeSource(Protocol):
    """A cube at one version, read by chunks; safe to share between threads."""

    @property
    def id(self) -> str:
        """Cube id."""

    @property
    def snapshot(self) -> str:
        """``id@version``: names exactly these values."""

    def state_of(self, slot_index: int) -> str:
        """Names what a logical time holds, with grid, axes and fields; 0 where there is no time.

        The same text means the same values, in every process and whatever is written beside them.
        """

    @property
    def description(self) -> CoverageDescription:
        """Grid, axes, fields and levels."""

    @property
    def timed(self) -> bool:
        """Whether the first dimension is time."""

    @property
    def remote(self) -> bool:
        """Whether a read crosses a network, so that reads are worth doing at the same time."""

    @property
    def empty(self) -> bool:
        """Whether nothing has been written yet."""

    def chunk_shape(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Shape of a chunk in cells: (time, axes…, y, x)."""

    def chunk_counts(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Number of chunks along each dimension: (time, axes…, y, x)."""

    def chunk_sizes(self, field: str, level: int, slot_index: int = 0) -> NDArray[np.integer[Any]]:
        """Bytes of each chunk of a logical time: (axes…, chunk rows, chunk columns)."""

    def chunk(self, field: str, level: int, index: ChunkIndex) -> NDArray[Any]:
        """One decoded chunk, read-only, chunk_shape.

        Raises
        ------
        StorageError
            The chunk cannot be read.
        """

    def groups(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[Sequence[ChunkIndex]]:
        """The chunks parted into those that are best read together, of one object."""

    def chunks(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[NDArray[Any]]:
        """Several decoded chunks, in order; those of a group are read together.

        Raises
        ------
        StorageError
            A chunk cannot be read.
        """

    def row_reader(self, field: str, level: int, lead: ChunkIndex) -> RowReader:
        """What reads some rows of decoded chunks.

        Parameters
        ----------
        lead : (time, axes…) of the chunks

        Raises
        ------
        StorageError
            Here or when it reads: a chunk cannot be read.
        """

    def statistics(self, field: str) -> FieldStatistics | None:
        """What the values of a field are like; None where nobody has counted."""

    def series(self, field: str) -> SeriesCopy | None:
        """The copy that is long in time; None where there is none."""

    def refreshed(self) -> "CubeSource":
        """Itself while nothing has changed, else the newest.

        Raises
        ------
        CoverageNotFound
            The cube is gone.
        """


def whole_chunks(cube: CubeSource, field: str, level: int, lead: ChunkIndex) -> RowReader:
    """What reads all rows of a cube's chunks, whichever are wanted."""
    return lambda at, _: cube.chunk(field, level, (*lead, *at))
