"""Domains in GML 3.2 and 3.3: envelope, RectifiedGrid, ReferenceableGridByVectors.

What stands in them is a :class:`~services.ows.frames.Frame`.
"""

from datacube.model.domain import DomainSet
from services.ows.frames import Frame, Line
from services.ows.xml import XLINK, XSI, Element, Maker

GML = "http://www.opengis.net/gml/3.2"
RGRID = "http://www.opengis.net/gml/3.3/rgrid"
_PREFIXES: dict[str | None, str] = {"gml": GML, "gmlrgrid": RGRID, "xlink": XLINK, "xsi": XSI}
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
    make = _rectified if len(axes.grid_order) == 2 else _by_vectors
    return _GML("domainSet", make(axes, identifier))


def coverage_subtype(domain: DomainSet) -> str:
    """``RectifiedGridCoverage`` or ``ReferenceableGridCoverage``."""
    return "ReferenceableGridCoverage" if domain.axes else "RectifiedGridCoverage"


def _limits(axes: Frame) -> Element:
    low = " ".join("0" for _ in axes.grid_order)
    high = " ".join(str(line.size - 1) for line in axes.grid_order)
    return _GML("limits", _GML("GridEnvelope", _GML("low", low), _GML("high", high)))


def _labels(axes: Frame) -> Element:
    return _GML("axisLabels", " ".join(line.label for line in axes.grid_order))


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
        *(_RGRID("generalGridAxis", _general_axis(axes, line)) for line in axes.grid_order),
    )
    return _with(grid, _grid_attributes(axes, identifier))


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
