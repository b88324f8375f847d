"""Coverages that are read while they are written: blocks in the order that a file wants."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from datacube.model.axis import axis_part
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet

type ReadBlocks = Callable[[Iterable["Part"]], Iterator[Block]]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one field at one place of the other axes.

    Parameters
    ----------
    field : str
    place : tuple of int
        Index on each axis of the coverage beside x and y, in array order.
    rows : slice of the coverage's rows, with a start and a stop
    """

    field: str
    place: tuple[int, ...]
    rows: slice


@dataclass(frozen=True, eq=False)
class CoverageStream:
    """A description, and the values part by part.

    Parameters
    ----------
    description : CoverageDescription
        Of exactly these values.
    read : callable
        Parts -> their blocks in the same order, few of them held at a time. Closing the iterator
        ends the reading.
    bands : tuple of slice
        The rows cut so that each band is cheap to read and small; from the first row on.
    gaps : bool
        Whether cells of fields without a nil value may be invalid too.
    notes : tuple of str
        As of :class:`~datacube.model.coverage.Coverage`.
    """

    description: CoverageDescription
    read: ReadBlocks
    bands: tuple[slice, ...]
    gaps: bool = False
    notes: tuple[str, ...] = ()

    def by_field(self, *, upward: bool = False) -> Iterator[Block]:
        """Blocks in array order (field, axes…, y); with ``upward`` the last rows first."""
        return self.read(self.parts(upward=upward))

    def parts(self, *, upward: bool = False) -> Iterator[Part]:
        """What :meth:`by_field` reads."""
        for name, place in product(self.description.range_type.names, self._places()):
            for rows in self.bands[:: -1 if upward else 1]:
                yield Part(name, place, rows)

    def by_place(self, *, upward: bool = False) -> Iterator[Block]:
        """Blocks of all fields, band by band at every place: (axes…, y, field)."""
        return self.read(
            Part(name, place, rows)
            for place in self._places()
            for rows in self.bands[:: -1 if upward else 1]
            for name in self.description.range_type.names
        )

    def _places(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(axis.size) for axis in self.description.domain.axes))


def part_domain(domain: DomainSet, part: Part) -> DomainSet:
    """The domain of a part: one place of every axis, some rows."""
    axes = tuple(
        axis_part(axis, at, at + 1) for axis, at in zip(domain.axes, part.place, strict=True)
    )
    grid, rows = domain.grid, part.rows
    return DomainSet(grid.window(rows.start, 0, rows.stop - rows.start, grid.width), axes)


def stream_of(coverage: Coverage) -> CoverageStream:
    """A coverage that is in memory, as a stream of whole planes."""

    def read(parts: Iterable[Part]) -> Iterator[Block]:
        for part in parts:
            block = coverage.blocks[part.field]
            domain = part_domain(block.domain, part)
            at: tuple[int | slice, ...] = (*part.place, part.rows)
            mask = None if block.mask is None else block.mask[at].reshape(domain.shape)
            yield Block(block.field, domain, block.data[at].reshape(domain.shape), mask)

    rows = slice(0, coverage.description.domain.grid.shape[0])
    gaps = any(
        block.field.nil is None and not block.valid.all() for block in coverage.blocks.values()
    )
    return CoverageStream(coverage.description, read, (rows,), gaps, coverage.notes)
