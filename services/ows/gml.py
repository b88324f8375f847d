"""Domains in GML 3.2 and 3.3: envelope, RectifiedGrid, ReferenceableGridByVectors.

Cells with positions of their own are a ReferenceableGridByVectors too: one axis of the CRS is a
step of one degree times a coefficient for every cell, and spans both axes of the grid. Of a large
grid the coefficients are in the file that the axis refers to.

What stands in them is a :class:`~services.ows.frames.Frame`.
"""

from collections.abc import Iterator

from datacube.model.domain import DomainSet
from datacube.model.grid import RectifiedGrid
from services.ows.frames import Frame, Line, Positions
from services.ows.xml import XLINK, XSI, Element, Maker

GML = "http://www.opengis.net/gml/3.2"
RGRID = "http://www.opengis.net/gml/3.3/rgrid"
_PREFIXES: dict[str | None, str] = {"gml": GML, "gmlrgrid": RGRID, "xlink": XLINK, "xsi": XSI}
_INDEXES = ("i", "j")
_FILE = "?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&FORMAT=application/netcdf&COVERAGEID="
_GML = Maker(GML, _PREFIXES)
_RGRID = Maker(RGRID, _PREFIXES)


def bounded_by(axes: Frame) -> Element:
    """``gml:boundedBy`` with an Envelope: outer edges of the cells, first and last instants."""
    lower = " ".join(line.low for line in axes.crs_order)
    upper = " ".join(line.high for line in axes.crs_order)
    corners = (_GML("lowerCorner", lower), _GML("upperCorner", upper))
    return _GML("boundedBy", _GML("Envelope", *corners, **axes.reference))


def domain_set(axes: Frame, identifier: str) -> Element:
    """``gml:domainSet``: a RectifiedGrid of x and y, else a ReferenceableGridByVectors.

    Parameters
    ----------
    identifier : str, the coverage's gml:id, from which those of the parts are made
    """
    plane = len(axes.grid_order) == 2 and axes.positions is None
    make = _rectified if plane else _by_vectors
    return _GML("domainSet", make(axes, identifier))


def coverage_subtype(domain: DomainSet) -> str:
    """``RectifiedGridCoverage`` or ``ReferenceableGridCoverage``."""
    plane = isinstance(domain.grid, RectifiedGrid) and not domain.axes
    return "RectifiedGridCoverage" if plane else "ReferenceableGridCoverage"


def _limits(axes: Frame) -> Element:
    low = " ".join("0" for _ in axes.grid_order)
    high = " ".join(str(line.size - 1) for line in axes.grid_order)
    return _GML("limits", _GML("GridEnvelope", _GML("low", low), _GML("high", high)))


def _labels(axes: Frame) -> Element:
    labels = [line.label for line in axes.grid_order]
    if axes.positions is not None:
        labels[:2] = _INDEXES
    return _GML("axisLabels", " ".join(labels))


def _point(axes: Frame, identifier: str) -> Element:
    position = " ".join(line.origin for line in axes.crs_order)
    attributes = {f"{{{GML}}}id": f"{identifier}-origin", "srsName": axes.srs_name}
    return _with(_GML("Point", _GML("pos", position)), attributes)


def _offset(axes: Frame, line: Line) -> str:
    """The vector of one step along a line, in the order of the CRS."""
    return " ".join(line.step if other is line else "0" for other in axes.crs_order)


def _rectified(axes: Frame, identifier: str) -> Element:
    grid = _GML(
        "RectifiedGrid",
        _limits(axes),
        _labels(axes),
        _GML("origin", _point(axes, identifier)),
        *(
            _GML("offsetVector", _offset(axes, line), srsName=axes.srs_name)
            for line in axes.grid_order
        ),
    )
    return _with(grid, _grid_attributes(axes, identifier))


def _by_vectors(axes: Frame, identifier: str) -> Element:
    grid = _RGRID(
        "ReferenceableGridByVectors",
        _limits(axes),
        _labels(axes),
        _RGRID("origin", _point(axes, identifier)),
        *_general_axes(axes, identifier),
    )
    return _with(grid, _grid_attributes(axes, identifier))


def _general_axes(axes: Frame, identifier: str) -> Iterator[Element]:
    lines = axes.grid_order
    if axes.positions is not None:
        yield from _position_axes(axes, axes.positions, identifier)
        lines = lines[2:]
    for line in lines:
        yield _RGRID("generalGridAxis", _general_axis(axes, line))


def _position_axes(axes: Frame, positions: Positions, identifier: str) -> Iterator[Element]:
    """The axes of longitude and latitude, a coefficient for each cell; rows follow one another."""
    for line, coefficients in zip(axes.grid_order, (positions.x, positions.y), strict=False):
        if not coefficients:
            yield _with(_RGRID("generalGridAxis"), {f"{{{XLINK}}}href": _FILE + identifier})
            continue
        axis = _RGRID(
            "GeneralGridAxis",
            _RGRID("offsetVector", _offset(axes, line), srsName=axes.srs_name),
            _RGRID("coefficients", coefficients),
            _RGRID("gridAxesSpanned", " ".join(_INDEXES)),
            _RGRID("sequenceRule", "Linear", axisOrder="+1 +2"),
        )
        yield _RGRID("generalGridAxis", axis)


def _general_axis(axes: Frame, line: Line) -> Element:
    return _RGRID(
        "GeneralGridAxis",
        _RGRID("offsetVector", _offset(axes, line), srsName=axes.srs_name),
        _RGRID("coefficients", line.coefficients or None),
        _RGRID("gridAxesSpanned", line.label),
        _RGRID("sequenceRule", "Linear", axisOrder="+1"),
    )


def _grid_attributes(axes: Frame, identifier: str) -> dict[str, str]:
    """Without the attribute axisLabels: GDAL takes it for the element, and so x for y."""
    return {
        f"{{{GML}}}id": f"{identifier}-grid",
        "dimension": str(len(axes.grid_order)),
        "srsName": axes.srs_name,
    }


def _with(element: Element, attributes: dict[str, str]) -> Element:
    for name, value in attributes.items():
        element.set(name, value)
    return element
