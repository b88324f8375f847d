"""Coverage -> plain JSON: nested arrays of physical values, null where there is no data.

Beside the values stand the axes in the order of the arrays, each with its values and its unit; what
a program or a page reads without knowing a standard. It is written while the coverage is read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from datacube.formats import cf
from datacube.formats.coveragejson import finite, number_texts, numbers, provenance
from datacube.formats.pieces import Streamed, gathered
from datacube.model.axis import Axis, TimeAxis, axis_values
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.stream import CoverageStream

_TOGETHER = 65_536  # cells


def encode(coverage: Coverage, options: Mapping[str, str]) -> Iterator[bytes]:  # noqa: ARG001
    """The document in UTF-8, in pieces.

    Parameters
    ----------
    coverage : Coverage
    options : not used
    """
    return _document(coverage.description, coverage.blocks.values())


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:  # noqa: ARG001
    """The same while the coverage is read.

    Parameters
    ----------
    coverage : CoverageStream
    options : not used
    """
    return Streamed(_document(coverage.description, coverage.by_field()))


def _document(description: CoverageDescription, blocks: Iterable[Block]) -> Iterator[bytes]:
    return gathered(b"", (text.encode() for text in _texts(description, blocks)))


def _texts(description: CoverageDescription, blocks: Iterable[Block]) -> Iterator[str]:
    domain = description.domain
    head = {
        "coverage": description.id,
        **provenance(description),
        "crs": domain.grid.crs.uri if domain.grid.crs.has_code else domain.grid.crs.wkt,
        "dimensions": cf.dimension_names(domain),
        "axes": _axes(domain),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "fields": {'
    for number, (name, found) in enumerate(groupby(blocks, lambda one: one.field.name)):
        said = json.dumps(_field(description.range_type.field(name)), ensure_ascii=False)
        yield f'{", " if number else ""}{json.dumps(name)}: {said[:-1]}, "values": '
        yield from _nested(domain, (text for block in found for text in _rows(block)))
        yield "}"
    yield "}}\n"


def _nested(domain: DomainSet, rows: Iterable[str]) -> Iterator[str]:
    """The rows of all places in array order, with the brackets of the arrays around them."""
    sizes = [axis.size for axis in domain.axes]
    height = domain.grid.shape[0]
    for number, text in enumerate(rows):
        place, row = divmod(number, height)
        begun = 0 if row else 1 + _begun(place, sizes)
        closed = begun if place else 0
        yield f"{']' * closed}{', ' if row or closed else ''}{'[' * begun}[{text}]"
    yield "]" * (1 + len(sizes))


def _begun(place: int, sizes: Sequence[int]) -> int:
    """How many of the last axes begin anew at a place, counted in array order.

    Examples
    --------
    >>> [_begun(place, (2, 3)) for place in range(6)]
    [2, 0, 0, 1, 0, 0]
    """
    for count, size in enumerate(reversed(sizes)):
        place, at = divmod(place, size)
        if at:
            return count
    return len(sizes)


def _rows(block: Block) -> Iterator[str]:
    """The numbers of each row, decoded many rows at a time."""
    width = block.data.shape[-1]
    data, valid = block.data.reshape(-1, width), block.valid.reshape(-1, width)
    step = max(_TOGETHER // width, 1)
    for first in range(0, len(data), step):
        some = slice(first, first + step)
        for row in finite(block.field.decode(data[some], valid[some])).tolist():
            yield number_texts(row)


def _axes(domain: DomainSet) -> dict[str, dict[str, Any]]:
    found = {axis.name: _axis(axis) for axis in domain.axes}
    *_, y, x = cf.dimension_names(domain)
    match domain.grid:
        case RectifiedGrid() as grid:
            found[y] = {"values": grid.y_centres().tolist(), "unit": grid.crs.uom}
            found[x] = {"values": grid.x_centres().tolist(), "unit": grid.crs.uom}
        case ReferenceableGrid() as grid:
            for name, values in (("lat", grid.y), ("lon", grid.x)):
                rows = [json.loads(f"[{''.join(numbers(row))}]") for row in values]
                found[name] = {"dimensions": [y, x], "values": rows, "unit": grid.crs.uom}
    return found


def _axis(axis: Axis) -> dict[str, Any]:
    values = [one if isinstance(one, str) else float(one) for one in axis_values(axis)]
    if isinstance(axis, TimeAxis):
        return {"values": values, "unit": "ISO 8601", "calendar": axis.calendar}
    return {"values": values, "unit": getattr(axis, "uom", "")}


def _field(field: Field) -> dict[str, Any]:
    said: dict[str, Any] = {
        "title": field.title,
        "standard_name": field.standard_name,
        "unit": field.uom or "1",
        "classes": {str(one.value): one.label for one in field.categories},
    }
    return {name: text for name, text in said.items() if text}
