"""Values at places or over a region -> CoverageJSON and CSV."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, assert_never

import numpy as np

from datacube.errors import InvalidFormat
from datacube.formats.coveragejson import (
    axis_keys,
    axis_object,
    crs_object,
    numbers,
    parameter_object,
    reference_object,
)
from datacube.formats.csv import table, with_unit
from datacube.model.axis import TimeAxis
from datacube.model.domain import DomainSet
from datacube.model.geometry import Region
from datacube.model.sampled import Places, Sampled
from datacube.model.time import format_ticks


@dataclass(frozen=True, slots=True)
class Writer:
    """A format of sampled values.

    Parameters
    ----------
    media_type, extension : str
    names : other names in requests, lower case
    write : callable, Sampled -> pieces of bytes
    """

    media_type: str
    extension: str
    names: tuple[str, ...]
    write: Callable[[Sampled], Iterator[bytes]]


def to_coveragejson(sampled: Sampled) -> Iterator[bytes]:
    """A CoverageJSON document, in pieces.

    Several places become the axis ``composite`` of (t, x, y, z) tuples, with those of t and z that
    each place has of its own; a region becomes one of its polygon.
    """
    keys = axis_keys(DomainSet(sampled.description.domain.grid, sampled.axes))[:-2]
    axes: dict[str, Any] = {
        key: axis_object(axis) for key, axis in zip(keys, sampled.axes, strict=True)
    }
    shape, dims = _where(sampled.where)
    axes |= shape
    kind = _kind(sampled.where, dims, keys)
    references = [crs_object(sampled.where.crs)]
    references += map(reference_object, keys, sampled.axes)
    if isinstance(sampled.where, Places) and sampled.where.ticks is not None:
        time = sampled.description.domain.time
        references.append(reference_object("t", time or TimeAxis("t", np.zeros(1, np.int64))))
    head = {
        "type": "Coverage",
        "id": sampled.description.id,
        "domain": {"type": "Domain", **kind, "axes": axes, "referencing": references},
        "parameters": {field.name: parameter_object(field) for field in sampled.fields},
    }
    start = json.dumps(head, ensure_ascii=False)[:-1] + ', "ranges": {'
    return chain([start.encode()], _ranges(sampled, (*keys, *dims)), [b"}}"])


def to_csv(sampled: Sampled) -> Iterator[bytes]:
    """A table in UTF-8: the axes, the place, then the fields with their units; no data is empty."""
    names, rows = _places(sampled.where)
    head = [
        *(with_unit(axis.name, getattr(axis, "uom", "")) for axis in sampled.axes),
        *names,
        *(with_unit(field.name, field.uom) for field in sampled.fields),
    ]
    values = [sampled.physical(field).reshape(-1, len(rows)) for field in sampled.fields]
    where = ["".join(f"{one}," for one in row) for row in rows]
    return table(
        head, sampled.axes, where, lambda places: (one[places].reshape(-1) for one in values)
    )


WRITERS = (
    Writer(
        "application/prs.coverage+json",
        "covjson",
        ("coveragejson", "covjson", "json", "application/json"),
        to_coveragejson,
    ),
    Writer("text/csv", "csv", ("csv",), to_csv),
)


def find_writer(name: str) -> Writer:
    """The writer of a media type or one of its names.

    Raises
    ------
    InvalidFormat
        There is none; the message lists those there are.

    Examples
    --------
    >>> find_writer("csv").media_type
    'text/csv'
    """
    wanted = name.partition(";")[0].strip().lower()
    for one in WRITERS:
        if wanted in {one.media_type, *one.names}:
            return one
    offered = ", ".join(one.media_type for one in WRITERS)
    raise InvalidFormat(
        f"the format '{name[:100]}' is not offered here; offered are {offered}", subject="f"
    )


def _where(where: Places | Region) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Axes that say where the values are, and those of them that the values have."""
    match where:
        case Places() if where.single:
            return {"x": {"values": where.x.tolist()}, "y": {"values": where.y.tolist()}}, ()
        case Places():
            names, rows = _places(where)
            axis = {"dataType": "tuple", "coordinates": names, "values": rows}
            return {"composite": axis}, ("composite",)
        case Region():
            rings = [[list(place) for place in ring] for ring in where.rings]
            axis = {"dataType": "polygon", "coordinates": ["x", "y"], "values": [rings]}
            return {"composite": axis}, ()
        case _:
            assert_never(where)


def _kind(where: Places | Region, dims: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, str]:
    """The domain type of CoverageJSON; none where there is none of that kind."""
    if isinstance(where, Places) and where.ticks is not None:
        return {} if keys else {"domainType": "Trajectory"}
    if keys not in {(), ("t",)}:
        return {}
    name = "Polygon" if isinstance(where, Region) else "MultiPoint" if dims else "Point"
    return {"domainType": name + ("Series" if keys else "")}


def _places(where: Places | Region) -> tuple[list[str], list[list[Any]]]:
    """Columns of a place, and a row for each."""
    if isinstance(where, Region):
        return [], [[]]
    columns = {"x": where.x.tolist(), "y": where.y.tolist()}
    if where.ticks is not None:
        columns = {"t": format_ticks(where.ticks, where.calendar), **columns}
    if where.heights is not None:
        columns["z"] = where.heights.tolist()
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def _ranges(sampled: Sampled, names: tuple[str, ...]) -> Iterator[bytes]:
    for number, field in enumerate(sampled.fields):
        shape = sampled.data[field.name].shape[: len(names)]
        head = {"type": "NdArray", "dataType": "float", "axisNames": names, "shape": shape}
        start = json.dumps(head)[:-1]
        yield f'{", " if number else ""}{json.dumps(field.name)}: {start}, "values": ['.encode()
        yield from (text.encode() for text in numbers(sampled.physical(field)))
        yield b"]}"
