"""NetCDF-4 written forward, where everything but the values is known before the first of them.

The second file of a kind is laid out for all that follow
(:mod:`~datacube.formats.netcdf_template`); their values are put where they lie in it as they are
read.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import prod

import numpy as np

from datacube.formats.netcdf import Stored, kinds_ahead, storable
from datacube.formats.netcdf_template import Kind, known_template
from datacube.formats.nodata import filled, nil_known
from datacube.formats.pieces import Piece, Streamed, cut, gathered
from datacube.model.stream import CoverageStream


def forward(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed | None:
    """The file that :func:`~datacube.formats.netcdf.encode` makes, its length known.

    None where that hangs on values, the file is compressed or lies otherwise, or is the first of
    its kind.

    Parameters
    ----------
    coverage : CoverageStream
    options : as of that
    """
    description = coverage.description
    fields = description.range_type.fields
    known = all(nil_known(one, storable(np.dtype(one.dtype)), gaps=coverage.gaps) for one in fields)
    kinds = kinds_ahead(coverage) if known else {}
    kind = Kind.of(description, kinds, options) if known else None
    found = None if kind is None else known_template(kind)
    if kind is None or found is None:
        return None
    head, *between = found.filled(kind)
    cells = prod(description.domain.shape)
    length = len(head) + sum(map(len, between))
    length += sum(cells * dtype.itemsize for dtype, _ in kinds.values())
    return Streamed(gathered(head, _pieces(coverage, kinds, between)), length)


def _pieces(
    coverage: CoverageStream, kinds: Mapping[str, Stored], between: Sequence[bytearray]
) -> Iterator[Piece]:
    """The values of each field, and what lies behind them."""
    fields = groupby(coverage.by_field(), lambda block: block.field.name)
    for (name, blocks), behind in zip(fields, between, strict=True):
        for block in blocks:
            yield from cut(filled(block, *kinds[name]))
        yield behind
