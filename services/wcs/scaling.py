"""Scaling of WCS 2.0 (12-039) and of its clients: from parameters to a target size.

``SCALEFACTOR=0.5`` · ``SCALEAXES=Long(0.5),Lat(0.5)`` · ``SCALESIZE=Long(20),Lat(10)`` ·
``SCALEEXTENT=Long(0:19),Lat(0:9)`` · ``WIDTH=20&HEIGHT=10``, ``SIZE=x(20)`` and
``RESOLUTION=x(0.5)`` of older clients. Only x and y are scaled.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal, assert_never

from datacube.errors import AxisNotFound, InvalidParameter, InvalidScaling
from datacube.model.domain import DomainSet
from datacube.model.grid import RectifiedGrid
from datacube.model.query import ScaleFactor, ScaleSize, Scaling
from services.ows.kvp import Kvp, number, positive
from services.wcs.errors import InvalidExtent, ScaleAxisUndefined
from services.wcs.subsets import Bracket, parse_brackets

type Kind = Literal["factor", "size", "extent", "resolution"]
_BY_AXIS: Mapping[str, Kind] = {
    "SCALEAXES": "factor",
    "SCALESIZE": "size",
    "SCALEEXTENT": "extent",
    "SIZE": "size",
    "RESOLUTION": "resolution",
}
_ENDLESS = 1e15  # cells
_BY_STANDARD = ("SCALEFACTOR", "SCALEAXES", "SCALESIZE", "SCALEEXTENT")


@dataclass(frozen=True, slots=True)
class AxisScaling:
    """What is wanted along some axes, as written."""

    kind: Kind
    brackets: tuple[Bracket, ...]


def decode_scaling(kvp: Kvp) -> ScaleFactor | ScaleSize | AxisScaling | None:
    """The scaling that the parameters ask for.

    Raises
    ------
    InvalidScaling
        A factor is not above zero.
    InvalidParameter
        Two kinds of scaling are given, or one cannot be read.
    """
    given = [name for name in ("SCALEFACTOR", *_BY_AXIS, "WIDTH") if kvp.values(name)]
    if len(given) > 1:
        raise InvalidParameter(
            f"{' and '.join(given)} contradict each other; give one of them", subject=given[1]
        )
    empty = [name for name in _BY_STANDARD if kvp.given(name) and name not in given]
    if empty:
        raise InvalidParameter(
            f"{empty[0]} has no value; leave it out, or say how much is wanted", subject=empty[0]
        )
    if not given:
        return None
    if given == ["SCALEFACTOR"]:
        return ScaleFactor(_above_zero(kvp.one("SCALEFACTOR", number), "SCALEFACTOR"))
    if given == ["WIDTH"]:
        return ScaleSize(kvp.one("WIDTH", positive), kvp.one("HEIGHT", positive))
    parts = kvp.many(given[0], _brackets)
    return AxisScaling(_BY_AXIS[given[0]], tuple(one for part in parts for one in part))


def resolve_scaling(
    scaling: ScaleFactor | ScaleSize | AxisScaling | None,
    domain: DomainSet,
    unscaled: Callable[[], RectifiedGrid],
) -> Scaling | None:
    """The scaling with both sizes known.

    Parameters
    ----------
    domain : of the whole coverage; names the axes
    unscaled : gives the grid of the answer without scaling; called only where it is needed

    Raises
    ------
    ScaleAxisUndefined
        An axis that the coverage does not have, or one given twice.
    InvalidScaling
        A size is none, or an axis other than x and y would change.
    """
    match scaling:
        case None | ScaleFactor() | ScaleSize():
            return scaling
        case AxisScaling(kind, brackets):
            wanted = _horizontal(brackets, domain)
            if kind == "size" and len(wanted) == 2:
                sizes = {name: _size(kind, one, 1, 1.0) for name, one in wanted.items()}
            else:
                grid = unscaled()
                cells = {"x": (grid.width, abs(grid.dx)), "y": (grid.height, abs(grid.dy))}
                sizes = {name: count for name, (count, _) in cells.items()}
                sizes |= {name: _size(kind, one, *cells[name]) for name, one in wanted.items()}
            return ScaleSize(sizes["x"], sizes["y"])
        case _:
            assert_never(scaling)


def _brackets(text: str) -> tuple[Bracket, ...]:
    """Brackets in which ``0:19`` stands for two values."""
    return parse_brackets(re.sub(r"(?<=\d):(?=[-\d])", ",", text))


def _horizontal(brackets: tuple[Bracket, ...], domain: DomainSet) -> dict[str, Bracket]:
    found: dict[str, Bracket] = {}
    for bracket in brackets:
        try:
            axis = domain.axis(bracket.axis)
        except AxisNotFound as error:
            raise ScaleAxisUndefined(error.message, subject=bracket.axis) from error
        if not isinstance(axis, str):
            raise InvalidScaling(
                f"the axis {bracket.axis} cannot be scaled; only x and y can", subject=bracket.axis
            )
        if axis in found:
            raise ScaleAxisUndefined(
                f"the axis {bracket.axis} is scaled twice", subject=bracket.axis
            )
        found[axis] = bracket
    return found


def _size(kind: Kind, bracket: Bracket, cells: int, step: float) -> int:
    """Number of cells wanted along an axis that has some of a step's length now."""
    numbers = [_number(bracket, value.text) for value in bracket.values]
    match kind, numbers:
        case "size", [count] if count == int(count) and count >= 1:
            return int(count)
        case "factor", [factor]:
            return _rounded(cells * _above_zero(factor, bracket.axis))
        case "resolution", [length]:
            return _rounded(cells * step / _above_zero(length, bracket.axis))
        case "extent", [low, high] if high >= low and low == int(low) and high == int(high):
            return _rounded(high - low + 1)
        case _:
            raise InvalidExtent(
                f"{bracket} is no {kind}; write for instance Long(200)"
                + (",Lat(100)" if kind != "extent" else " as Long(0:199)"),
                subject=bracket.axis,
            )


def _rounded(cells: float) -> int:
    """A whole number of cells, one at least; of endless ones more than any grid has."""
    return max(round(min(cells, _ENDLESS)), 1)


def _number(bracket: Bracket, text: str) -> float:
    try:
        return number(text)
    except ValueError:
        raise InvalidExtent(
            f"{bracket}: '{text[:50]}' is no number", subject=bracket.axis
        ) from None


def _above_zero(value: float, subject: str) -> float:
    if not (isfinite(value) and value > 0):
        raise InvalidScaling(f"{value:g} is not above zero", subject=subject)
    return value
