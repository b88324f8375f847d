"""The subset grammar of OGC API Coverages: ``Lat(40:50),Lon(-10:10),time("2020-01":"2020-03")``.

Text becomes :class:`Trim` and :class:`Slice` of the core; what an axis' values are (numbers, times,
labels) is asked of the coverage's domain.
"""

import re
from math import isfinite

from datacube.errors import InvalidSubset, InvalidTime
from datacube.model.axis import Axis, IndexAxis, TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.query import Point, Slice, Subset, Trim
from datacube.model.time import Timestamp

_ITEM = re.compile(r"^\s*(?P<axis>[^\s()\",:]+)\s*\((?P<inside>[^()]*)\)\s*$")
_OPEN = frozenset({"", "*", ".."})
_GEOGRAPHIC_X = frozenset({"lon", "long", "longitude"})
_GEOGRAPHIC_Y = frozenset({"lat", "latitude"})


def parse_subsets(texts: tuple[str, ...], domain: DomainSet, crs: Crs | None) -> tuple[Subset, ...]:
    """Trims and slices of all ``subset`` parameters of a request.

    Parameters
    ----------
    texts : tuple of str
        Values of the parameter, each with one or more subsets.
    domain : DomainSet
    crs : Crs, optional
        Of numbers on the horizontal axes (``subset-crs``); None is the coverage's own, and
        longitude and latitude where an axis is called so.

    Raises
    ------
    InvalidSubset
        The text is no subset, or an axis occurs twice.
    AxisNotFound
        The coverage has no such axis.
    InvalidTime
        A bound of a time axis is no time.

    Examples
    --------
    >>> from datacube.model.grid import RectifiedGrid
    >>> grid = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)
    >>> parse_subsets(("Lat(40:50),Lon(-10)",), DomainSet(grid), None)
    (Trim(axis='Lat', low=40.0, high=50.0, crs=None, rule='cells'), \
Slice(axis='Lon', point=-10.0, crs=None))
    """
    found: dict[str, Subset] = {}
    for text in texts:
        for item in split_outside(text):
            subset = parse_subset(item, domain, crs)
            axis = domain.axis(subset.axis)
            key = axis if isinstance(axis, str) else axis.name
            if key in found:
                raise InvalidSubset(
                    f"the axis '{subset.axis}' is subset twice", subject=subset.axis
                )
            found[key] = subset
    return _in_native_crs(found, domain)


def split_outside(text: str) -> list[str]:
    """Parts between the commas that stand outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += (letter == "(") - (letter == ")")
            if letter == "," and depth == 0:
                parts.append(text[start:position])
                start = position + 1
    parts.append(text[start:])
    return parts


def parse_subset(text: str, domain: DomainSet, crs: Crs | None) -> Subset:
    """One ``axis(low:high)`` or ``axis(point)``."""
    found = _ITEM.match(text)
    if found is None:
        raise InvalidSubset(
            f"'{text[:100]}' is no subset; write axis(low:high) or axis(point), "
            'such as Lat(40:50) or time("2020-01-01")',
            subject="subset",
        )
    name, inside = found["axis"], found["inside"].strip()
    axis = domain.axis(name)
    horizontal = crs if isinstance(axis, str) else None
    match _bounds(inside, axis, name):
        case (point,):
            if point in _OPEN:
                raise InvalidSubset(f"subset of '{name}' has no value", subject=name)
            return Slice(name, _point(point, axis, name), horizontal)
        case (low, high):
            return Trim(
                name,
                None if low in _OPEN else _point(low, axis, name),
                None if high in _OPEN else _point(high, axis, name),
                horizontal,
            )
        case _:
            raise InvalidSubset(f"subset of '{name}' has too many bounds", subject=name)


def _bounds(inside: str, axis: Axis | str, name: str) -> tuple[str, ...]:
    """The bounds as texts without quotes; times may stand unquoted in spite of their colons."""
    if '"' in inside:
        found = re.fullmatch(r'("[^"]*"|[*.]*)(?:\s*:\s*("[^"]*"|[*.]*))?', inside)
        if found is None:
            raise InvalidSubset(f"the quotes in the subset of '{name}' do not pair", subject=name)
        return tuple(part.strip('"') for part in found.groups() if part is not None)
    parts = [part.strip() for part in inside.split(":")]
    if not isinstance(axis, TimeAxis) or len(parts) <= 2:
        return _hour_kept(inside, parts) if isinstance(axis, TimeAxis) else tuple(parts)
    if _is_time(inside):
        return (inside,)
    for cut in range(1, len(parts)):
        low, high = ":".join(parts[:cut]), ":".join(parts[cut:])
        if all(part in _OPEN or _is_time(part) for part in (low, high)):
            return low, high
    raise InvalidTime(f"'{inside[:100]}' holds no two times; quote them", subject=name)


def _hour_kept(inside: str, parts: list[str]) -> tuple[str, ...]:
    """One time such as ``2020-01-01T06:00Z`` is not two bounds."""
    return (inside,) if len(parts) == 2 and _is_time(inside) else tuple(parts)


def _is_time(text: str) -> bool:
    try:
        Timestamp.parse(text)
    except InvalidTime:
        return False
    return True


def _point(text: str, axis: Axis | str, name: str) -> Point:
    match axis:
        case TimeAxis():
            return Timestamp.parse(text, subject=name)
        case IndexAxis() if text in axis.labels:
            return text
        case _:
            return parse_number(text, name)


def parse_number(text: str, subject: str) -> float:
    """A finite number.

    Raises
    ------
    InvalidSubset
        The text is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number) or "_" in text:
        raise InvalidSubset(f"'{text[:100]}' is no number for '{subject}'", subject=subject)
    return number


def box_subsets(box: BoundingBox, domain: DomainSet) -> tuple[Trim, Trim]:
    """Trims of both horizontal axes that hold a box given in any CRS."""
    native = box.to_crs(domain.grid.crs).unwrapped()
    x, y = domain.grid.crs.labels
    return Trim(x, native.left, native.right), Trim(y, native.bottom, native.top)


def _in_native_crs(found: dict[str, Subset], domain: DomainSet) -> tuple[Subset, ...]:
    """Subsets of the horizontal axes in another CRS, as a box in the coverage's own."""
    native = domain.grid.crs
    foreign = {key: crs for key in ("x", "y") if (crs := _foreign_crs(key, found.get(key), native))}
    if not foreign:
        return tuple(found.values())
    x, y = found.get("x"), found.get("y")
    if not (isinstance(x, Trim) and isinstance(y, Trim)) or None in (x.low, x.high, y.low, y.high):
        crs = next(iter(foreign.values()))
        raise InvalidSubset(
            f"this coverage lies in {native.short}: in {crs.short} it is subset by low and high "
            f"of both axes, or in its own by {' and '.join(native.labels)}",
            subject="subset",
        )
    if len(foreign) < 2:
        raise InvalidSubset("both horizontal axes must be subset in one CRS", subject="subset")
    edges = [float(str(edge)) for edge in (x.low, y.low, x.high, y.high)]
    box = BoundingBox(edges[0], edges[1], edges[2], edges[3], foreign["x"])
    rest = tuple(subset for key, subset in found.items() if key not in {"x", "y"})
    return (*rest, *box_subsets(box, domain))


def _foreign_crs(key: str, subset: Subset | None, native: Crs) -> Crs | None:
    if subset is None:
        return None
    named = _GEOGRAPHIC_X if key == "x" else _GEOGRAPHIC_Y
    crs = subset.crs
    if crs is None and not native.geographic and subset.axis.lower() in named:
        crs = CRS84
    return None if crs is None or crs.same_plane(native) else crs
