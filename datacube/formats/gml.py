"""Coverage -> GML: the values as the tuple list of a document that says the rest.

A tuple has the stored numbers of all fields in one cell, with commas between them; a blank stands
between tuples. Cells follow one another as rows are read: from west to east, from north to south,
then along the last axis first, as in an array (GML 3.2.1, 19.3; 09-146r2, 6.5). Cells with
positions of their own come in the order in which they are stored.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import batched
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from datacube.errors import RequestTooLarge
from datacube.formats.geotiff_tags import north_up
from datacube.formats.pieces import Streamed, gathered
from datacube.model.block import Block
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.stream import CoverageStream

MEDIA_TYPE = "application/gml+xml"
MOST_VALUES = 20_000_000
"""Beyond these no reader of XML is served by a document, which it holds as a whole."""
_TEXT = 6  # characters of a value, about
_TOGETHER = 1 << 16  # values that become text at once

type Around = Callable[[CoverageDescription], tuple[bytes, bytes]]
"""Description -> what stands before and behind the tuples."""


def stream(coverage: CoverageStream, around: Around) -> Streamed:
    """The document while the coverage is read.

    Parameters
    ----------
    coverage : CoverageStream
    around : callable
        Gets the description of what is written: its fields name the number that stands for no
        data wherever there may be such cells.

    Raises
    ------
    RequestTooLarge
        As :func:`check`.
    """
    check(coverage.description)
    fields = tuple(_with_nil(one, coverage.gaps) for one in coverage.description.range_type.fields)
    head, tail = around(replace(coverage.description, range_type=RangeType(fields)))
    return Streamed(gathered(head, _pieces(coverage, fields, tail)))


def check(description: CoverageDescription) -> None:
    """Refuse what has too many values for a document.

    Raises
    ------
    RequestTooLarge
        The message says the number, the limit and what would pass.
    """
    shape, fields = description.domain.grid.shape, len(description.range_type.fields)
    steps = prod(axis.size for axis in description.domain.axes)
    plane, values = prod(shape) * fields, prod(shape) * fields * steps
    if values <= MOST_VALUES:
        return
    ways = [
        f"at most {MOST_VALUES // plane} of its {steps} steps" * (plane <= MOST_VALUES),
        _smaller(shape, fields * steps),
        "application/netcdf",
    ]
    raise RequestTooLarge(
        f"the document would have {values:,} values, about {values * _TEXT / 1e6:,.0f} MB of text; "
        f"the limit is {MOST_VALUES:,} values. Ask for {', or '.join(filter(None, ways))}",
        subject="subset",
    )


def _smaller(shape: tuple[int, int], each: int) -> str:
    """A scale factor that makes few enough cells of a plane; empty where none does."""
    largest = sqrt(MOST_VALUES / (prod(shape) * each))
    for part in range(100, 0, -1):
        factor = float(f"{largest * part / 100:.3g}")
        if prod(round(side * factor) + 1 for side in shape) * each <= MOST_VALUES:
            return f"SCALEFACTOR={factor:g}"
    return ""


def _with_nil(field: Field, gaps: bool) -> Field:
    """The field with a number for no data where it may need one; no stored value has it."""
    kind = np.dtype(field.dtype).kind
    if kind == "f" or field.nil is not None or not gaps:
        return field
    lowest = 0 if kind == "b" else int(np.iinfo(field.dtype).min)
    return replace(field, nil=lowest - 1)


def _pieces(coverage: CoverageStream, fields: tuple[Field, ...], tail: bytes) -> Iterator[bytes]:
    grid = coverage.description.domain.grid
    blocks = coverage.by_place(upward=isinstance(grid, RectifiedGrid) and grid.dy > 0)
    lead = ""
    for together in batched(blocks, len(fields)):
        parts = (_texts(block, one) for block, one in zip(together, fields, strict=True))
        for columns in zip(*parts, strict=True):
            tuples = columns[0] if len(columns) == 1 else map(",".join, zip(*columns, strict=True))
            yield (lead + " ".join(tuples)).encode()
            lead = " "
    yield tail


def _texts(block: Block, field: Field) -> Iterator[list[str]]:
    """Values of one place in the order of the document, some at a time."""
    grid = block.domain.grid
    data, valid = (
        (north_up(grid, one) if isinstance(grid, RectifiedGrid) else one).reshape(-1)
        for one in (block.data, block.valid)
    )
    for start in range(0, data.size, _TOGETHER):
        some = slice(start, start + _TOGETHER)
        yield _words(data[some], np.logical_not(valid[some]), field)


def _words(data: NDArray[np.generic], missing: NDArray[np.bool_], field: Field) -> list[str]:
    floating = data.dtype.kind == "f"
    numbers = data.astype(np.uint8) if data.dtype.kind == "b" else data
    words = data.astype(str).tolist() if floating else list(map(str, numbers.tolist()))
    nil = "NaN" if floating else str(int(field.nil or 0))
    for place in np.flatnonzero(missing).tolist():
        words[place] = nil
    return words
