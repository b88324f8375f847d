"""Requests of WCS 2.0.1 in XML (09-148r1) with its extensions, as parameters."""

from collections.abc import Iterable

from datacube.errors import InvalidParameter
from datacube.model.markup import local_name
from services.ows.xml import Element
from services.wcs.posted import (
    Pairs,
    attributes,
    capabilities_pairs,
    children,
    listed,
    unknown,
    words,
)


def pairs(root: Element) -> Pairs:
    """The parameters of a request.

    Raises
    ------
    InvalidParameter
        The document is no request.

    Examples
    --------
    >>> from datacube.model.markup import parse
    >>> list(pairs(parse(b"<GetCoverage><CoverageId> sst </CoverageId></GetCoverage>")))[-1]
    ('CoverageId', 'sst')
    """
    yield "request", local_name(root)
    yield from attributes(root, "service", "version")
    match local_name(root):
        case "GetCapabilities":
            yield from capabilities_pairs(root)
        case "DescribeCoverage":
            yield "CoverageId", ",".join(words(one) for one in children(root, "CoverageId"))
        case "DescribeEOCoverageSet":
            yield from _coverage_set(root)
        case "GetCoverage":
            for element in root:
                yield from _part(element)
        case _:
            raise unknown(root)


def _coverage_set(root: Element) -> Pairs:
    yield from attributes(root, "count", "startIndex")
    yield "eoId", ",".join(words(one) for one in children(root, "eoId"))
    yield from listed(root, ("Sections", "Section"), "sections")
    for name in ("containment", "DimensionTrim"):
        for one in children(root, name):
            yield from _part(one)


def _part(element: Element) -> Pairs:
    match local_name(element):
        case "DimensionTrim":
            yield "subset", _bracket(element, "Dimension", "TrimLow", "TrimHigh")
        case "DimensionSlice":
            yield "subset", _bracket(element, "Dimension", "SlicePoint")
        case "Extension":
            for one in element:
                yield from _extension(one)
        case name:
            yield name, words(element)


def _bracket(element: Element, axis: str, *values: str) -> str:
    texts = {local_name(one): words(one) for one in element}
    return f"{texts.get(axis, '')}({','.join(texts.get(name, '*') for name in values)})"


def _extension(element: Element) -> Pairs:
    match local_name(element):
        case "RangeSubset":
            yield "rangeSubset", ",".join(_range_item(one) for one in _within(element, "RangeItem"))
        case "Scaling":
            for one in element:
                yield from _scaling(one)
        case "Interpolation":
            for one in children(element, "globalInterpolation"):
                yield "interpolation", words(one)
        case name if len(element):
            for one in element:
                yield local_name(one), words(one)
        case name:
            yield name, words(element)


def _within(element: Element, name: str) -> Iterable[Element]:
    """What stands in the children of a name, or beside them."""
    for one in element:
        yield from one if local_name(one) == name else (one,)


def _range_item(element: Element) -> str:
    if local_name(element) != "RangeInterval":
        return words(element)
    return ":".join(words(one) for one in element)


def _scaling(element: Element) -> Pairs:
    match local_name(element):
        case "ScaleByFactor":
            for one in children(element, "scaleFactor"):
                yield "SCALEFACTOR", words(one)
        case "ScaleAxesByFactor":
            yield "SCALEAXES", _brackets(element, "ScaleAxis", "scaleFactor")
        case "ScaleToSize":
            yield "SCALESIZE", _brackets(element, "TargetAxisSize", "targetSize")
        case "ScaleToExtent":
            yield "SCALEEXTENT", _brackets(element, "TargetAxisExtent", "low", "high")
        case name:
            raise InvalidParameter(f"there is no scaling '{name[:100]}'", subject=name[:100])


def _brackets(element: Element, name: str, *values: str) -> str:
    return ",".join(_bracket(one, "axis", *values) for one in children(element, name))
