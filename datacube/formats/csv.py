"""Coverage -> CSV: one row for each cell, physical values, made in pieces.

The columns are the axes in array order (ISO 8601 times, labels, numbers in the axis' unit), then y
and x of the cell's centre in the coverage's CRS, then the fields; the unit stands in brackets after
the name. No data is an empty cell. Lines end as RFC 4180 says.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from datacube.formats.pieces import Piece, Streamed, gathered
from datacube.model.axis import Axis, axis_values
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.model.stream import CoverageStream, stream_of

_SPECIAL = frozenset(',"\r\n')
_FEW = 4096  # cells of a grid whose rows are made for many places at a time
_TOGETHER = 16384  # rows


def encode(coverage: Coverage, options: Mapping[str, str]) -> Iterator[Piece]:
    """The table in UTF-8, header first.

    Parameters
    ----------
    coverage : Coverage
    options : not used
    """
    if prod(coverage.description.domain.grid.shape) > _FEW:
        return stream(stream_of(coverage), options).pieces
    fields = [coverage.blocks[name] for name in coverage.description.range_type.names]
    domain = coverage.description.domain
    where = [one for row in _positions(domain.grid, slice(0, domain.grid.shape[0])) for one in row]

    def columns(places: slice) -> Iterator[NDArray[np.floating]]:
        return (_physical_places(one, places) for one in fields)

    return table(_header(coverage.description), domain.axes, where, columns)


def table(
    head: Iterable[str],
    axes: Sequence[Axis],
    where: Sequence[str],
    columns: Callable[[slice], Iterable[NDArray[np.floating]]],
) -> Iterator[bytes]:
    """A table of few cells at every place of some axes, those of many places made at a time.

    Parameters
    ----------
    head : of the columns
    axes : the first columns, in array order
    where : the next columns of each cell, each with a comma behind it
    columns : places, counted in array order -> physical values of each field, (places * cells,)

    Returns
    -------
    pieces : iterator of bytes, UTF-8
    """
    lines = _long_rows(axes, where, columns)
    return gathered(f"{_line(head)}\r\n".encode(), (text.encode() for text in lines))


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:  # noqa: ARG001
    """The same while the coverage is read.

    Parameters
    ----------
    coverage : CoverageStream
    options : not used
    """
    head = f"{_line(_header(coverage.description))}\r\n".encode()
    return Streamed(gathered(head, (text.encode() for text in _rows(coverage))))


def _header(description: CoverageDescription) -> list[str]:
    domain = description.domain
    x, y = domain.grid.crs.labels
    axes = [with_unit(axis.name, getattr(axis, "uom", "")) for axis in domain.axes]
    fields = [with_unit(one.name, one.uom) for one in description.range_type.fields]
    return [*axes, y, x, *fields]


def with_unit(name: str, uom: str) -> str:
    """A column's head."""
    return f"{name} [{uom}]" if uom else name


def _long_rows(
    axes: Sequence[Axis],
    where: Sequence[str],
    columns: Callable[[slice], Iterable[NDArray[np.floating]]],
) -> Iterator[str]:
    places = [_texts_along(axis) for axis in axes]
    heres = map("".join, product(*places))
    step = max(_TOGETHER // len(where), 1)
    for first in range(0, prod(map(len, places)), step):
        starts = (f"{here}{one}" for here in islice(heres, step) for one in where)
        yield _table(starts, *map(cell_texts, columns(slice(first, first + step))))


def _physical_places(block: Block, places: slice) -> NDArray[np.floating]:
    """Values of some places of the axes beside x and y, decoded, one after the other."""
    cells = prod(block.data.shape[-2:])
    data, valid = block.data.reshape(-1, cells)[places], block.valid.reshape(-1, cells)[places]
    return block.field.decode(data, valid).reshape(-1)


def _rows(coverage: CoverageStream) -> Iterator[str]:
    """Lines of the cells in array order, those of one row of the grid at a time."""
    domain = coverage.description.domain
    blocks = coverage.by_place()
    for here in product(*map(_texts_along, domain.axes)):
        start = "".join(here)
        for rows in coverage.bands:
            planes = [
                _physical_rows(one)
                for one in islice(blocks, len(coverage.description.range_type.fields))
            ]
            for where, *values in zip(_positions(domain.grid, rows), *planes, strict=True):
                yield _table((f"{start}{one}" for one in where), *map(cell_texts, values))


def _physical_rows(block: Block) -> Iterator[NDArray[np.floating]]:
    """Rows of the only place of a block, decoded one by one."""
    shape = block.data.shape[-2:]
    for data, valid in zip(block.data.reshape(shape), block.valid.reshape(shape), strict=True):
        yield block.field.decode(data, valid)


def _positions(grid: Grid, rows: slice) -> Iterator[Iterable[str]]:
    """Of each row ``y,x,`` of its cells; nothing before the commas where one has no position."""
    match grid:
        case RectifiedGrid():
            x = grid.x_centres().tolist()
            for northing in grid.y_centres()[rows].tolist():
                yield [f"{northing!r},{one!r}," for one in x]
        case ReferenceableGrid(_, lon, lat):
            for easts, norths in zip(lon[rows], lat[rows], strict=True):
                places = zip(cell_texts(norths), cell_texts(easts), strict=True)
                yield [f"{north},{east}," for north, east in places]


def _table(starts: Iterable[str], *columns: Iterable[str]) -> str:
    rows = zip(starts, map(",".join, zip(*columns, strict=True)), strict=True)
    return "".join(f"{start}{row}\r\n" for start, row in rows)


def _texts_along(axis: Axis) -> list[str]:
    """The cell of each place of an axis, and the comma behind it."""
    match axis_values(axis):
        case np.ndarray() as numbers:
            return [f"{one!r}," for one in numbers.tolist()]
        case texts:
            return [f"{_quoted(one)}," for one in texts]


def cell_texts(values: NDArray[np.floating]) -> list[str]:
    """Shortest text that reads back as the same number of its type; empty where not valid."""
    if values.dtype == np.float32:
        texts: list[str] = values.astype(str).tolist()
    else:
        texts = list(map(repr, values.tolist()))
    for place in np.flatnonzero(np.isnan(values)):
        texts[place] = ""
    return texts


def _line(cells: Iterable[str]) -> str:
    """Cells with commas between them."""
    return ",".join(map(_quoted, cells))


def _quoted(text: str) -> str:
    """A cell, in quotes where it needs them (RFC 4180, 2.6 and 2.7)."""
    return text if _SPECIAL.isdisjoint(text) else '"' + text.replace('"', '""') + '"'
