"""CoverageJSON: physical values, null for no data, every axis by its coordinates.

A regular grid is a Grid; cells with positions of their own are a MultiPoint, one point for each
cell that has a position, row by row, and with times a MultiPointSeries.

The document is made piece by piece, so that a long one needs little memory.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.formats.pieces import Streamed, gathered
from datacube.model.axis import (
    Axis,
    IndexAxis,
    IrregularAxis,
    RegularAxis,
    TimeAxis,
    axis_values,
    is_vertical,
    points_down,
)
from datacube.model.block import Block
from datacube.model.calendar import Calendar
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Category, Field
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.stream import CoverageStream

_PIECE = 65_536
_CF_CALENDARS = "https://cfconventions.org/cf-conventions/cf-conventions.html#calendar"


def encode(coverage: Coverage, options: Mapping[str, str]) -> Iterator[bytes]:  # noqa: ARG001
    """A CoverageJSON document, in pieces.

    Parameters
    ----------
    coverage : Coverage
    options : unused

    Returns
    -------
    pieces : iterator of bytes
        UTF-8; together one document of the type Coverage.
    """
    return gathered(b"", _document(coverage.description, coverage.blocks.values()))


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:  # noqa: ARG001
    """The same while the coverage is read.

    Parameters
    ----------
    coverage : CoverageStream
    options : unused
    """
    return Streamed(gathered(b"", _document(coverage.description, coverage.by_field())))


def _document(description: CoverageDescription, blocks: Iterable[Block]) -> Iterator[bytes]:
    names = axis_keys(description.domain)
    head = {
        "type": "Coverage",
        "id": description.id,
        **provenance(description),
        "domain": domain_object(description.domain),
        "parameters": {
            field.name: parameter_object(field) for field in description.range_type.fields
        },
    }
    start = json.dumps(head, ensure_ascii=False)[:-1] + ', "ranges": {'
    return chain([start.encode()], _ranges(description.domain, blocks, names), [b"}}"])


def domain_object(domain: DomainSet) -> dict[str, Any]:
    """The ``domain`` member: axes and what their numbers refer to."""
    keys = axis_keys(domain)
    axes: dict[str, Any] = dict(
        zip(keys, (axis_object(axis) for axis in domain.axes), strict=False)
    )
    match domain.grid:
        case RectifiedGrid() as grid:
            axes["y"] = _regular(grid.y_centres())
            axes["x"] = _regular(grid.x_centres())
        case ReferenceableGrid(_, x, y):
            placed = np.isfinite(x) & np.isfinite(y)
            points = np.stack([x[placed], y[placed]], axis=-1)
            axes["composite"] = {
                "dataType": "tuple",
                "coordinates": ["x", "y"],
                "values": points.tolist(),
            }
        case _:
            assert_never(domain.grid)
    horizontal = [crs_object(domain.grid.crs)]
    further = [reference_object(key, axis) for key, axis in zip(keys, domain.axes, strict=False)]
    return {
        "type": "Domain",
        "domainType": _domain_type(domain),
        "axes": axes,
        "referencing": horizontal + further,
    }


def _domain_type(domain: DomainSet) -> str:
    if isinstance(domain.grid, RectifiedGrid):
        return "Grid"
    return "MultiPoint" if domain.time is None else "MultiPointSeries"


def parameter_object(field: Field) -> dict[str, Any]:
    """One member of ``parameters``: what a field's numbers mean."""
    title = field.title or field.name
    observed: dict[str, Any] = {"label": {"en": title}}
    if field.standard_name:
        observed["id"] = f"http://vocab.nerc.ac.uk/standard_name/{field.standard_name}/"
    parameter: dict[str, Any] = {
        "type": "Parameter",
        "description": {"en": title},
        "observedProperty": observed,
    }
    if field.categories:
        observed["categories"] = [_category(one) for one in field.categories]
        parameter["categoryEncoding"] = {str(one.value): one.value for one in field.categories}
    else:
        uom = field.uom or "1"
        parameter["unit"] = {
            "label": {"en": uom},
            "symbol": {"value": uom, "type": "http://www.opengis.net/def/uom/UCUM/"},
        }
    return parameter


def numbers(values: NDArray[np.floating]) -> Iterator[str]:
    """JSON texts of runs of values, null where not finite, without the brackets.

    Every number reads back as exactly the same float64.

    Examples
    --------
    >>> "".join(numbers(np.array([0.5, np.nan, 2.0])))
    '0.5, null, 2.0'
    """
    flat = values.reshape(-1)
    for start in range(0, flat.size, _PIECE):
        text = number_texts(finite(flat[start : start + _PIECE]).tolist())
        yield f", {text}" if start else text


def finite(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """The values, NaN for those that are infinite; same shape."""
    return np.where(np.isfinite(values), values, np.nan)


def number_texts(values: list[float]) -> str:
    """JSON texts of numbers with commas between them, null for NaN."""
    return json.dumps(values)[1:-1].replace("NaN", "null")


def axis_keys(domain: DomainSet) -> tuple[str, ...]:
    """Names of the axes in array order: t, z and own names, then y, x, or the points."""
    keys = []
    for axis in domain.axes:
        if axis is domain.time:
            keys.append("t")
        else:
            keys.append("z" if axis is domain.vertical else axis.name)
    horizontal = ("y", "x") if isinstance(domain.grid, RectifiedGrid) else ("composite",)
    return (*keys, *horizontal)


def axis_object(axis: Axis) -> dict[str, Any]:
    """One member of ``axes``."""
    match axis:
        case RegularAxis():
            return _regular(axis.coordinates)
        case IrregularAxis():
            return {"values": axis.coordinates.tolist()}
        case TimeAxis() | IndexAxis():
            return {"values": list(axis_values(axis))}
        case _:
            assert_never(axis)


def _regular(centres: NDArray[np.float64]) -> dict[str, Any]:
    return {"start": float(centres[0]), "stop": float(centres[-1]), "num": len(centres)}


def crs_object(crs: Crs) -> dict[str, Any]:
    """What x and y refer to."""
    order = ["y", "x"] if crs.northing_first else ["x", "y"]
    return {"coordinates": order, "system": _system(crs)}


def _system(crs: Crs) -> dict[str, Any]:
    kind = "GeographicCRS" if crs.geographic else "ProjectedCRS"
    return {"type": kind, "id": crs.uri} if crs.has_code else {"type": kind, "wkt": crs.wkt}


def reference_object(key: str, axis: Axis) -> dict[str, Any]:
    """What the values of an axis other than x and y refer to."""
    if isinstance(axis, TimeAxis):
        system: dict[str, Any] = {"type": "TemporalRS", "calendar": _calendar(axis.calendar)}
    elif is_vertical(axis):
        direction = "down" if points_down(axis) else "up"
        unit = {"symbol": axis.uom or "1"}
        name = {"en": axis.title or axis.name}
        axes = [{"name": name, "direction": direction, "unit": unit}]
        system = {"type": "VerticalCRS", "cs": {"csAxes": axes}}
    else:
        system = {"type": "IdentifierRS", "targetConcept": {"label": {"en": axis.title or key}}}
    return {"coordinates": [key], "system": system}


def _calendar(calendar: Calendar) -> str:
    gregorian = calendar in {"standard", "proleptic_gregorian"}
    return "Gregorian" if gregorian else f"{_CF_CALENDARS}-{calendar}"


def _category(one: Category) -> dict[str, Any]:
    colour = {"preferredColor": one.color} if one.color else {}
    return {"id": str(one.value), "label": {"en": one.label}, **colour}


def provenance(description: CoverageDescription) -> dict[str, str]:
    """Where a coverage comes from and what may be done with it, as far as that is known."""
    said = {
        "title": description.title,
        "attribution": description.attribution,
        "license": description.licence,
        "snapshot": description.snapshot,
    }
    return {name: text for name, text in said.items() if text}


def _ranges(domain: DomainSet, blocks: Iterable[Block], names: tuple[str, ...]) -> Iterator[bytes]:
    """The values of each field, whose blocks follow one another in array order."""
    shape = _shape(domain)
    head = {"type": "NdArray", "dataType": "float", "axisNames": names, "shape": shape}
    start = json.dumps(head)[:-1]
    fields = groupby(blocks, lambda block: block.field.name)
    for number, (name, found) in enumerate(fields):
        yield f'{", " if number else ""}{json.dumps(name)}: {start}, "values": ['.encode()
        between = ""
        for text in (text for block in found for text in _values(block.field, *_placed(block))):
            yield f"{between}{text}".encode()
            between = ", "
        yield b"]}"


def _shape(domain: DomainSet) -> tuple[int, ...]:
    """Sizes of the axes that values have: of those with positions of their own one for all."""
    sizes = tuple(axis.size for axis in domain.axes)
    match domain.grid:
        case RectifiedGrid() as grid:
            return (*sizes, *grid.shape)
        case ReferenceableGrid(_, x, y):
            return (*sizes, int((np.isfinite(x) & np.isfinite(y)).sum()))


def _placed(block: Block) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Values and valid of the cells; of points in one dimension, those that have a position."""
    match block.domain.grid:
        case RectifiedGrid():
            return block.data, block.valid
        case ReferenceableGrid(_, x, y):
            placed = np.isfinite(x) & np.isfinite(y)
            return block.data[..., placed], block.valid[..., placed]


def _values(field: Field, data: NDArray[np.generic], valid: NDArray[np.bool_]) -> Iterator[str]:
    """Numbers with commas between them, decoded run by run."""
    data, valid = data.reshape(-1), valid.reshape(-1)
    for start in range(0, data.size, _PIECE):
        part = slice(start, start + _PIECE)
        yield "".join(numbers(field.decode(data[part], valid[part])))
