"""Requests of WCS 1.1 in XML (07-067r5), as parameters."""

from datacube.model.markup import local_name
from services.ows.xml import Element
from services.wcs.posted import (
    Pairs,
    attributes,
    capabilities_pairs,
    child,
    children,
    time_of,
    unknown,
    words,
)

_TIME = ("BeginPosition", "EndPosition", "TimeResolution")
_GRID = ("GridBaseCRS", "GridType", "GridOrigin", "GridOffsets", "GridCS")


def pairs(root: Element) -> Pairs:
    """The parameters of a request.

    Raises
    ------
    InvalidParameter
        The document is no request.
    """
    yield "request", local_name(root)
    yield from attributes(root, "service", "version")
    match local_name(root):
        case "GetCapabilities":
            yield from capabilities_pairs(root)
        case "DescribeCoverage":
            yield "identifiers", ",".join(words(one) for one in children(root, "Identifier"))
        case "GetCoverage":
            yield "identifier", words(child(root, "Identifier"))
            for name, read in (
                ("DomainSubset", _domain),
                ("RangeSubset", _range),
                ("Output", _output),
            ):
                if (part := child(root, name)) is not None:
                    yield from read(part)
        case _:
            raise unknown(root)


def _domain(domain: Element) -> Pairs:
    if (box := child(domain, "BoundingBox")) is not None:
        corners = (words(child(box, name)).split() for name in ("LowerCorner", "UpperCorner"))
        parts = [number for corner in corners for number in corner]
        yield "BoundingBox", ",".join([*parts, box.get("crs", "")] if box.get("crs") else parts)
    if (time := child(domain, "TemporalSubset")) is not None:
        yield "TimeSequence", ",".join(time_of(one, _TIME) for one in time)


def _range(ranges: Element) -> Pairs:
    yield "RangeSubset", ";".join(_field(one) for one in children(ranges, "FieldSubset"))


def _field(field: Element) -> str:
    text = words(child(field, "Identifier"))
    if (method := child(field, "InterpolationType")) is not None:
        text += f":{words(method)}"
    axes = ",".join(_axis(one) for one in children(field, "AxisSubset"))
    return f"{text}[{axes}]" if axes else text


def _axis(axis: Element) -> str:
    keys = ",".join(words(one) for one in children(axis, "Key"))
    return f"{words(child(axis, 'Identifier'))}[{keys}]"


def _output(output: Element) -> Pairs:
    yield from attributes(output, "format", "store")
    grid = child(output, "GridCRS")
    for name in _GRID:
        if grid is not None and (one := child(grid, name)) is not None:
            yield name, ",".join(words(one).split())
