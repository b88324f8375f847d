"""Coverage -> plain JSON: nested arrays of physical values, null where there is no data.

Beside the values stand the axes in the order of the arrays, each with its values and its unit; what
a program or a page reads without knowing a standard. It is written while the coverage is read.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby, takewhile
from typing import Any

from datacube.formats import cf
from datacube.formats.coveragejson import numbers, provenance
from datacube.formats.pieces import Streamed, gathered
from datacube.model.axis import Axis, TimeAxis, axis_values
from datacube.model.block import Block
from datacube.model.coverage import Coverage
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.stream import CoverageStream, stream_of


def encode(coverage: Coverage, options: Mapping[str, str]) -> Iterator[bytes]:
    """The document in UTF-8, in pieces.

    Parameters
    ----------
    coverage : Coverage
    options : not used
    """
    return stream(stream_of(coverage), options).pieces


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:  # noqa: ARG001
    """The same while the coverage is read.

    Parameters
    ----------
    coverage : CoverageStream
    options : not used
    """
    return Streamed(gathered(b"", (text.encode() for text in _texts(coverage))))


def _texts(coverage: CoverageStream) -> Iterator[str]:
    description = coverage.description
    domain = description.domain
    head = {
        "coverage": description.id,
        **provenance(description),
        "crs": domain.grid.crs.uri if domain.grid.crs.has_code else domain.grid.crs.wkt,
        "dimensions": cf.dimension_names(domain),
        "axes": _axes(domain),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "fields": {'
    parts = zip(coverage.parts(), coverage.by_field(), strict=True)
    for number, (name, found) in enumerate(groupby(parts, lambda one: one[0].field)):
        said = json.dumps(_field(description.range_type.field(name)), ensure_ascii=False)
        yield f'{", " if number else ""}{json.dumps(name)}: {said[:-1]}, "values": '
        yield from _nested(domain, ((part.place, part.rows.start, one) for part, one in found))
        yield "}"
    yield "}}\n"


def _nested(
    domain: DomainSet, blocks: Iterator[tuple[tuple[int, ...], int, Block]]
) -> Iterator[str]:
    """The rows of all places, with the brackets of the arrays around them."""
    depth = len(domain.axes)
    for place, top, block in blocks:
        for row, text in enumerate(_rows(block), start=top):
            begun = 0 if row else 1 + _zeros(place)
            closed = begun if any(place) else 0
            yield f"{']' * closed}{', ' if row or closed else ''}{'[' * begun}[{text}]"
    yield "]" * (1 + depth)


def _zeros(place: tuple[int, ...]) -> int:
    """How many of the last axes begin anew."""
    return sum(1 for _ in takewhile(lambda at: at == 0, reversed(place)))


def _rows(block: Block) -> Iterator[str]:
    shape = block.data.shape[-2:]
    for data, valid in zip(block.data.reshape(shape), block.valid.reshape(shape), strict=True):
        yield "".join(numbers(block.field.decode(data, valid)))


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
