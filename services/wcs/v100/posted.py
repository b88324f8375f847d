"""Requests of WCS 1.0.0 in XML (03-065r6, annex), as parameters."""

from datacube.errors import InvalidParameter
from datacube.model.markup import local_name
from services.ows.xml import Element
from services.wcs.posted import (
    Pairs,
    attributes,
    child,
    children,
    time_of,
    unknown,
    words,
)

_TIME = ("beginPosition", "endPosition", "timeResolution")


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
            yield from attributes(root, "updateSequence")
            yield "section", words(child(root, "section"))
        case "DescribeCoverage":
            yield "coverage", ",".join(words(one) for one in children(root, "Coverage"))
        case "GetCoverage":
            yield "coverage", words(child(root, "sourceCoverage"))
            yield "interpolation", words(child(root, "interpolationMethod"))
            yield "format", words(child(root, "output", "format"))
            yield "response_crs", words(child(root, "output", "crs"))
            for name, read in (("domainSubset", _domain), ("rangeSubset", _range)):
                if (part := child(root, name)) is not None:
                    yield from read(part)
        case _:
            raise unknown(root)


def _domain(domain: Element) -> Pairs:
    if (space := child(domain, "spatialSubset")) is not None:
        yield from _space(space)
    if (time := child(domain, "temporalSubset")) is not None:
        yield "time", ",".join(time_of(one, _TIME) for one in time)


def _space(space: Element) -> Pairs:
    if (envelope := child(space, "Envelope")) is not None:
        yield "crs", envelope.get("srsName", "")
        lower, upper = _corners(envelope)
        yield "bbox", ",".join((*lower[:2], *upper[:2], *lower[2:], *upper[2:]))
    for kind in ("Grid", "RectifiedGrid"):
        if (grid := child(space, kind)) is not None:
            yield from _size(grid)


def _corners(envelope: Element) -> tuple[list[str], list[str]]:
    match [words(one).split() for one in children(envelope, "pos")]:
        case [lower, upper]:
            return lower, upper
        case corners:
            raise InvalidParameter(
                f"an envelope has two positions, and {len(corners)} are given", subject="bbox"
            )


def _size(grid: Element) -> Pairs:
    """WIDTH and HEIGHT; of a rectified grid RESX and RESY where it has no limits."""
    offsets = [words(one).split() for one in children(grid, "offsetVector")]
    envelope = child(grid, "limits", "GridEnvelope")
    low, high = (
        words(child(envelope, end)).split() if envelope is not None else []
        for end in ("low", "high")
    )
    if len(low) >= 2 and len(high) >= 2:
        for name, first, last in zip(("width", "height"), low, high, strict=False):
            yield name, str(int(last) - int(first) + 1)
    elif len(offsets) >= 2:
        for name, vector in zip(("resx", "resy"), offsets, strict=False):
            yield name, max((one.lstrip("-") for one in vector), key=float)


def _range(ranges: Element) -> Pairs:
    for axis in children(ranges, "axisSubset"):
        values = [words(one) for one in children(axis, "singleValue")]
        values += [
            "/".join(words(one) for one in interval) for interval in children(axis, "interval")
        ]
        yield axis.get("name", ""), ",".join(values)
