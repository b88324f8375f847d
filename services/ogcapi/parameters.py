"""Query parameters of ``/collections/{id}/coverage`` and ``/map``, decoded to queries of the core.

Reads as the parameter table of OGC API Coverages: ``bbox``, ``bbox-crs``, ``datetime``,
``subset``, ``subset-crs``, ``properties``, ``scale-factor``, ``scale-axes``, ``scale-size``,
``width``, ``height``, ``crs``, ``f``; and our own ``selection``, ``compression``, ``mask``, ``agg``
and what belongs to it.
"""

import re
from collections.abc import Iterable

from datacube.errors import InvalidCrs, InvalidParameter, InvalidScaling, InvalidSubset, InvalidTime
from datacube.model.axis import TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.query import CoverageQuery, ScaleFactor, ScaleSize, Scaling, Slice, Subset, Trim
from datacube.model.time import TimePoint, TimeRange, Timestamp
from services.ogcapi.subsets import box_subsets, parse_number, parse_subsets, split_outside
from services.ows.aggregate import MAP_REDUCTION, REDUCTION, decode_aggregate
from services.ows.kvp import Kvp, positive
from services.ows.masks import mask_expression
from services.ows.selection import STANDARD, parse_selection
from services.ows.transport import Request

COVERAGE_PARAMETERS = frozenset(
    {
        "f", "lang", "bbox", "bbox-crs", "datetime", "subset", "subset-crs", "properties",
        "scale-factor", "scale-axes", "scale-size", "scalesize", "width", "height", "crs",
        "selection", "compression", "mask",
    }
    | REDUCTION
)  # fmt: skip
MAP_PARAMETERS = frozenset(
    {"f", "lang", "bbox", "bbox-crs", "datetime", "width", "height", "crs", "transparent"}
    | {"bgcolor", "style", "elevation"}
    | MAP_REDUCTION
)
_AXIS_NUMBER = re.compile(r"^\s*([^\s()]+)\s*\(\s*([^()\s]+)\s*\)\s*$")


def known(request: Request, allowed: frozenset[str]) -> Kvp:
    """Parameters of a request to a resource that knows only some.

    Raises
    ------
    InvalidParameter
        A name is unknown.
    """
    parameters = Kvp(request.query)
    for name in parameters.names:
        if name not in allowed:
            raise InvalidParameter(
                f"no parameter '{name[:60]}' here; there are {', '.join(sorted(allowed))}",
                subject=name[:60],
            )
    return parameters


def decode_coverage(description: CoverageDescription, parameters: Kvp) -> CoverageQuery:
    """The part of a coverage that a request asks for.

    Raises
    ------
    DatacubeError
        A parameter cannot be read or does not fit the coverage.
    """
    domain, fields = description.domain, description.range_type
    given = parse_subsets(
        parameters.values("subset"), domain, parameters.optional("subset-crs", Crs.parse, None)
    )
    merged = _merged(
        domain, given, _of_bbox(parameters, domain), datetime_subsets(parameters, domain)
    )
    selection = parameters.optional("selection", parse_selection, STANDARD)
    properties = ",".join(parameters.values("properties"))
    names = (name.strip() for name in properties.split(","))
    _native_only(parameters.optional("crs", Crs.parse, None), domain)
    mask = parameters.optional("mask", lambda text: mask_expression(fields, text), "")
    return CoverageQuery(
        description.id,
        selection.applied(merged, domain),
        tuple(name for name in names if name and name != "*"),
        decode_scaling(parameters, domain),
        aggregate=decode_aggregate(parameters),
        mask=mask,
    )


def decode_bbox(parameters: Kvp, otherwise: Crs = CRS84) -> BoundingBox | None:
    """The ``bbox`` in its CRS; four numbers, or six of which the heights are not looked at.

    Parameters
    ----------
    otherwise : Crs, of a box without a CRS of its own

    Raises
    ------
    InvalidSubset
        There are other than four or six numbers, or a number is none.
    """
    text = parameters.optional("bbox", str, None)
    if text is None:
        return None
    numbers = [parse_number(part.strip(), "bbox") for part in text.split(",")]
    if len(numbers) == 6:
        del numbers[5], numbers[2]
    if len(numbers) != 4:
        raise InvalidSubset(
            f"bbox has {len(numbers)} numbers; write west,south,east,north", subject="bbox"
        )
    crs = parameters.optional("bbox-crs", Crs.parse, None) or otherwise
    left, bottom = crs.ordered(numbers[0], numbers[1])
    right, top = crs.ordered(numbers[2], numbers[3])
    return BoundingBox(left, bottom, right, top, crs)


def decode_datetime(parameters: Kvp) -> TimePoint | TimeRange | None:
    """An instant, or an interval whose open ends are ``..`` or empty.

    Raises
    ------
    InvalidTime
        A part is no time, or both ends are open.
    """
    text = parameters.optional("datetime", str, None)
    if text is None:
        return None
    if text.lower() in {"latest", "current"}:
        return "latest"
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 2:
        raise InvalidTime(f"datetime '{text[:80]}' has {len(parts)} parts", subject="datetime")
    times = [
        None if part in {"", ".."} else Timestamp.parse(part, subject="datetime") for part in parts
    ]
    if len(times) == 1 and times[0] is not None:
        return times[0]
    if not any(times):
        raise InvalidTime(f"datetime '{text[:80]}' names no time", subject="datetime")
    return TimeRange(times[0], times[1])


def decode_scaling(parameters: Kvp, domain: DomainSet) -> Scaling | None:
    """Scaling of the horizontal axes; a factor of 2 halves the number of cells.

    Raises
    ------
    InvalidScaling
        Two ways at once, a number that is not positive, or an axis that cannot be scaled.
    """
    sizes = parameters.values("scale-size") + parameters.values("scalesize")
    axes = parameters.values("scale-axes")
    factor = parameters.optional("scale-factor", str, None)
    width = parameters.optional("width", positive, None)
    height = parameters.optional("height", positive, None)
    ways = [bool(sizes), bool(axes), factor is not None, width is not None or height is not None]
    if sum(ways) > 1:
        raise InvalidScaling("scale in one way only, not in several", subject="scale-size")
    if sizes or axes:
        return _scaled_axes(sizes, axes, domain)
    if factor is not None:
        return ScaleFactor(1.0 / _positive(factor, "scale-factor"))
    if width is None and height is None:
        return None
    if width is None or height is None:
        raise InvalidScaling("give both width and height", subject="width")
    return ScaleSize(width, height)


def _scaled_axes(sizes: tuple[str, ...], axes: tuple[str, ...], domain: DomainSet) -> Scaling:
    if sizes:
        cells = _by_axis(sizes, domain, "scale-size")
        if not (cells["x"].is_integer() and cells["y"].is_integer()):
            raise InvalidScaling("scale-size takes whole numbers of cells", subject="scale-size")
        return ScaleSize(int(cells["x"]), int(cells["y"]))
    factors = _by_axis(axes, domain, "scale-axes")
    if factors["x"] != factors["y"]:
        raise InvalidScaling("scale-axes takes equal factors of both axes", subject="scale-axes")
    return ScaleFactor(1.0 / factors["x"])


def _by_axis(texts: Iterable[str], domain: DomainSet, name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in (item for text in texts for item in split_outside(text)):
        parts = _AXIS_NUMBER.match(item)
        if parts is None:
            raise InvalidScaling(f"{name} is '{item[:60]}', not axis(number)", subject=name)
        axis = domain.axis(parts[1])
        if not isinstance(axis, str):
            raise InvalidScaling(f"the axis '{parts[1]}' cannot be scaled", subject=name)
        found[axis] = _positive(parts[2], name)
    if len(found) != 2:
        labels = " and ".join(domain.grid.crs.labels)
        raise InvalidScaling(f"{name} takes both horizontal axes, {labels}", subject=name)
    return found


def _positive(text: str, name: str) -> float:
    try:
        number = parse_number(text, name)
    except InvalidSubset as error:
        raise InvalidScaling(error.message, subject=name) from error
    if not 1e-9 < number < 1e9:
        raise InvalidScaling(f"{name} is '{text[:40]}', not a positive number", subject=name)
    return number


def _of_bbox(parameters: Kvp, domain: DomainSet) -> tuple[Subset, ...]:
    box = decode_bbox(parameters)
    return () if box is None else box_subsets(box, domain)


def datetime_subsets(parameters: Kvp, domain: DomainSet) -> tuple[Subset, ...]:
    """What ``datetime`` takes of the time axis.

    Raises
    ------
    InvalidTime
        The text is no time, or the coverage has none.
    """
    when, axis = decode_datetime(parameters), domain.time
    if when is None:
        return ()
    if axis is None:
        raise InvalidTime("this coverage has no time axis", subject="datetime")
    match when:
        case TimeRange():
            _ordered(when, axis)
            return (Trim(axis.name, when.start, when.end),)
        case _:
            return (Slice(axis.name, when),)


def _ordered(when: TimeRange, axis: TimeAxis) -> None:
    first, last = when.span(axis.calendar)
    if first is not None and last is not None and first > last:
        raise InvalidTime("the interval ends before it starts", subject="datetime")


def _merged(domain: DomainSet, *groups: tuple[Subset, ...]) -> tuple[Subset, ...]:
    merged: dict[str, Subset] = {}
    for subset in (subset for group in groups for subset in group):
        axis = domain.axis(subset.axis)
        key = axis if isinstance(axis, str) else axis.name
        if key in merged:
            raise InvalidSubset(
                f"the axis '{subset.axis}' is subset by two parameters", subject=subset.axis
            )
        merged[key] = subset
    return tuple(merged.values())


def _native_only(crs: Crs | None, domain: DomainSet) -> None:
    native = domain.grid.crs
    if crs is not None and not crs.same_plane(native):
        raise InvalidCrs(f"this coverage is given in {native.short} only", subject="crs")
