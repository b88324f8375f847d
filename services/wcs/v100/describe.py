"""Descriptions of WCS 1.0.0 (03-065r6, 8.3): a rectified grid, times, and further axes.

Time is the temporal domain. Every further axis, and the fields where there are several, stand in
the range set, as parameters of GetCoverage. The grid's origin is the centre of its first cell.
"""

from collections.abc import Iterable, Iterator

from datacube.model.axis import TimeAxis
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import RangeType
from datacube.model.grid import RectifiedGrid
from services.ows.extents import axis_extent, described_times, plain_number
from services.ows.xml import Element, serialise
from services.wcs.forms import forms
from services.wcs.grids import plain_grid
from services.wcs.v100.capabilities import brief
from services.wcs.v100.names import BAND, GML, SCHEMA, VERSION, WCS, crs_name, format_name

INTERPOLATIONS = ("nearest neighbor", "bilinear", "bicubic")
_COMMON = ("EPSG:4326", "EPSG:3857")


def coverage_description(descriptions: Iterable[CoverageDescription], *, full: bool) -> bytes:
    """The answer of DescribeCoverage.

    Parameters
    ----------
    full : bool, whether every instant is listed, however many there are
    """
    return serialise(
        WCS(
            "CoverageDescription",
            *(_offering(one, full) for one in descriptions),
            version=VERSION,
            xsi_schemaLocation=f"{SCHEMA}/describeCoverage.xsd",
        )
    )


def _offering(description: CoverageDescription, full: bool) -> Element:
    grid = plain_grid(description.domain)
    own = crs_name(grid.crs)
    return WCS(
        "CoverageOffering",
        *brief(description),
        _domain_set(description.domain, grid, full),
        _range_set(description),
        WCS(
            "supportedCRSs",
            *(WCS("requestResponseCRSs", name) for name in dict.fromkeys((own, *_COMMON))),
            WCS("nativeCRSs", own),
        ),
        WCS(
            "supportedFormats",
            *(WCS("formats", format_name(one)) for one in forms()),
            nativeFormat="GeoTIFF",
        ),
        WCS(
            "supportedInterpolations",
            *(WCS("interpolationMethod", name) for name in INTERPOLATIONS),
            default=INTERPOLATIONS[0],
        ),
    )


def _domain_set(domain: DomainSet, grid: RectifiedGrid, full: bool) -> Element:
    time = domain.time
    return WCS(
        "domainSet",
        WCS("spatialDomain", _envelope(grid), _grid(grid)),
        None if time is None else WCS("temporalDomain", *_times(time, full)),
    )


def _times(axis: TimeAxis, full: bool) -> Iterator[Element]:
    """Instants where they are few or all are wanted, else intervals with a period."""
    for text in described_times(axis, full=full):
        if "/" not in text:
            yield GML("timePosition", text)
            continue
        begin, end, step = text.split("/")
        parts = (("beginPosition", begin), ("endPosition", end), ("timeResolution", step))
        yield WCS("timePeriod", *(WCS(name, value) for name, value in parts))


def _envelope(grid: RectifiedGrid) -> Element:
    box = grid.bbox
    corners = (GML("pos", _pair(box.left, box.bottom)), GML("pos", _pair(box.right, box.top)))
    return GML("Envelope", *corners, srsName=crs_name(grid.crs))


def _grid(grid: RectifiedGrid) -> Element:
    x0, y0 = float(grid.x_centres()[0]), float(grid.y_centres()[0])
    return GML(
        "RectifiedGrid",
        GML(
            "limits",
            GML(
                "GridEnvelope",
                GML("low", "0 0"),
                GML("high", f"{grid.width - 1} {grid.height - 1}"),
            ),
        ),
        *(GML("axisName", name) for name in ("x", "y")),
        GML("origin", GML("pos", _pair(x0, y0))),
        GML("offsetVector", _pair(grid.dx, 0.0)),
        GML("offsetVector", _pair(0.0, grid.dy)),
        dimension="2",
        srsName=crs_name(grid.crs),
    )


def _pair(x: float, y: float) -> str:
    return f"{plain_number(x)} {plain_number(y)}"


def _range_set(description: CoverageDescription) -> Element:
    fields = description.range_type
    axes = [axis for axis in description.domain.axes if not isinstance(axis, TimeAxis)]
    nil = fields.fields[0].nil
    nulls = WCS("nullValues", WCS("singleValue", plain_number(nil))) if nil is not None else None
    return WCS(
        "rangeSet",
        WCS(
            "RangeSet",
            WCS("name", description.id),
            WCS("label", description.title or description.id),
            *(_axis(axis.name, axis.title, axis_extent(axis)) for axis in axes),
            _bands(fields),
            nulls,
        ),
    )


def _bands(fields: RangeType) -> Element | None:
    """Fields by number, as GDAL reads them; their names are the label."""
    if len(fields.names) == 1:
        return None
    numbers = tuple(str(number) for number in range(1, len(fields.names) + 1))
    return _axis(BAND, ", ".join(fields.names), numbers)


def _axis(name: str, title: str, values: tuple[str, ...]) -> Element:
    return WCS(
        "axisDescription",
        WCS(
            "AxisDescription",
            WCS("name", name),
            WCS("label", title or name),
            WCS(
                "values",
                *(WCS("singleValue", value) for value in values),
                WCS("default", values[0]),
            ),
        ),
    )
