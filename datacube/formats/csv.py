"""Coverage -> CSV: one row for each cell, physical values, made in pieces.

The columns are the axes in array order (ISO 8601 times, labels, numbers in the axis' unit), then y
and x of the cell's centre in the coverage's CRS, then the fields; the unit stands in brackets after
the name. No data is an empty cell. Lines end as RFC 4180 says.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from datacube.model.axis import axis_values
from datacube.model.coverage import Coverage

_ROWS = 4096


def encode(coverage: Coverage, options: Mapping[str, str]) -> Iterator[bytes]:  # noqa: ARG001
    """The table in UTF-8, header first.

    Parameters
    ----------
    coverage : Coverage
    options : not used
    """
    yield _lines([_header(coverage)])
    rows: list[list[object]] = []
    for row in _rows(coverage):
        rows.append(row)
        if len(rows) == _ROWS:
            yield _lines(rows)
            rows = []
    if rows:
        yield _lines(rows)


def _header(coverage: Coverage) -> list[str]:
    domain = coverage.description.domain
    x, y = domain.grid.crs.labels
    axes = [_with_unit(axis.name, getattr(axis, "uom", "")) for axis in domain.axes]
    fields = [_with_unit(one.field.name, one.field.uom) for one in coverage.blocks.values()]
    return [*axes, y, x, *fields]


def _with_unit(name: str, uom: str) -> str:
    return f"{name} [{uom}]" if uom else name


def _rows(coverage: Coverage) -> Iterator[list[object]]:
    """Cells in array order, a row of the grid decoded at a time."""
    domain = coverage.description.domain
    grid = domain.rectified
    y, x = grid.y_centres().tolist(), grid.x_centres().tolist()
    places = [axis_values(axis) for axis in domain.axes]
    blocks = tuple(coverage.blocks.values())
    for index in product(*(range(axis.size) for axis in domain.axes)):
        here = [_plain(values[at]) for values, at in zip(places, index, strict=True)]
        for row, northing in enumerate(y):
            at = (*index, row)
            columns = [_cells(one.field.decode(one.data[at], one.valid[at])) for one in blocks]
            for easting, *values in zip(x, *columns, strict=True):
                yield [*here, northing, easting, *values]


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _cells(values: np.ndarray) -> list[object]:
    """Shortest text that reads back as the same number of its type; empty where not valid."""
    if values.dtype == np.float32:
        return ["" if np.isnan(one) else str(one) for one in values]
    return ["" if one != one else one for one in values.tolist()]  # noqa: PLR0124  NaN


def _lines(rows: list[list[object]] | list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
