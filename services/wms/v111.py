"""WMS 1.1.1 (OGC 01-068r3): names, x before y, report and capabilities document.

A document of this version has a DTD, no namespace, and the values of a dimension in an element of
their own (Extent, annex C).
"""

from collections.abc import Iterator, Sequence

from datacube.engine.context import Context
from datacube.errors import DatacubeError
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from services.ows.caching import etag, kept_document
from services.ows.extents import plain_number
from services.ows.featureinfo import INFO_FORMATS
from services.ows.reports import WMS111_EXCEPTION, wms111_report
from services.ows.transport import Request, Response
from services.ows.xml import Element, Maker, serialise
from services.wms.about import service_section
from services.wms.capabilities import Vocabulary, operation, root_layer, service_url
from services.wms.describe import STYLES
from services.wms.formats import listed_formats
from services.wms.inspire import worded
from services.wms.layers import Dimension, Group, LayerEntry, layer_tree
from services.wms.legend import LEGEND_FORMATS
from services.wms.version import Listing, Version

CAPABILITIES = "application/vnd.ogc.wms_xml"
_DTD = "http://schemas.opengis.net/wms/1.1.1/capabilities_1_1_1.dtd"
_DOCTYPE = f'<!DOCTYPE WMT_MS_Capabilities SYSTEM "{_DTD}">'
_EXCEPTIONS = (
    WMS111_EXCEPTION,
    "application/vnd.ogc.se_inimage",
    "application/vnd.ogc.se_blank",
    "application/json",
)

_VERTICAL = {"CRS:88": "EPSG:5703"}
"""Vertical CRSs of 1.3.0 by the names that they have in EPSG, the only ones here (C.2)."""

WMS = Maker("", {})


def get_capabilities(context: Context, request: Request, listing: Listing) -> Response:
    """The capabilities document (01-068r3, 7.1)."""
    tag = etag([context.catalog.sequence], "wms", "1.1.1", listing, request.base_url)
    return kept_document(
        context,
        request,
        CAPABILITIES,
        tag,
        lambda: serialise(capabilities_document(context, request, listing), doctype=_DOCTYPE),
    )


def capabilities_document(context: Context, request: Request, listing: Listing) -> Element:
    """WMT_MS_Capabilities."""
    settings = worded(context.settings, listing.language)
    groups = layer_tree(context, listing.cubes)
    return WMS(
        "WMT_MS_Capabilities",
        service_section(WMS, "OGC:WMS", settings, request),
        WMS(
            "Capability",
            _operations(service_url(request)),
            WMS("Exception", *(WMS("Format", name) for name in _EXCEPTIONS)),
            WMS("UserDefinedSymbolization", SupportSLD=1, UserLayer=0, UserStyle=1, RemoteWFS=0),
            root_layer(_WORDS, request, settings.title, groups, _around(groups)),
        ),
        version="1.1.1",
        updateSequence=context.catalog.sequence,
    )


def report(error: DatacubeError, strict: bool) -> Response:
    """Exception report; with 4xx and 5xx statuses where strict."""
    return wms111_report(error, strict=strict)


def _operations(url: str) -> Element:
    return WMS(
        "Request",
        operation(WMS, WMS, "GetCapabilities", (CAPABILITIES,), url),
        operation(WMS, WMS, "GetMap", listed_formats(), url),
        operation(WMS, WMS, "GetFeatureInfo", INFO_FORMATS, url),
        operation(WMS, WMS, "DescribeLayer", (CAPABILITIES,), url),
        operation(WMS, WMS, "GetLegendGraphic", LEGEND_FORMATS, url),
        operation(WMS, WMS, "GetStyles", (STYLES,), url),
    )


def _around(groups: Sequence[Group]) -> Iterator[Element]:
    """The box of all layers, which stands on the root."""
    worlds = [layer.world for group in groups for layer in group.layers]
    if worlds:
        left, bottom = min(one.left for one in worlds), min(one.bottom for one in worlds)
        right, top = max(one.right for one in worlds), max(one.top for one in worlds)
        yield _world(BoundingBox(left, bottom, right, top, CRS84))


def _world(box: BoundingBox) -> Element:
    minx, miny, maxx, maxy = map(plain_number, box.edges)
    return WMS("LatLonBoundingBox", minx=minx, miny=miny, maxx=maxx, maxy=maxy)


def _boxes(layer: LayerEntry) -> Iterator[Element]:
    yield _world(layer.world)
    for box in layer.boxes:
        if _has_srs(box.crs):
            minx, miny, maxx, maxy = map(plain_number, box.edges)
            yield WMS("BoundingBox", SRS=box.crs.short, minx=minx, miny=miny, maxx=maxx, maxy=maxy)


def _has_srs(crs: Crs) -> bool:
    """Whether it can be named: CRS:84 is 1.3.0's, here it is EPSG:4326."""
    return not crs.short.startswith("CRS:")


def _standard(name: str) -> str:
    """The two kinds of metadata that the DTD knows."""
    kinds = {"ISO": "TC211", "FGDC": "FGDC"}
    return next((kind for begin, kind in kinds.items() if name.upper().startswith(begin)), "")


def _dimensions(dimensions: Sequence[Dimension]) -> Iterator[Element]:
    for one in dimensions:
        unit = _VERTICAL.get(one.unit, one.unit)
        yield WMS("Dimension", name=one.name, units=unit, unitSymbol=one.symbol or None)
    for one in dimensions:
        yield WMS(
            "Extent",
            ",".join(one.values),
            name=one.name,
            default=one.default,
            multipleValues=int(one.multiple),
            nearestValue=int(one.nearest),
            current="1" if one.current else None,
        )


_WORDS = Vocabulary(WMS, "SRS", _has_srs, _boxes, _dimensions, _standard)
VERSION = Version(
    number="1.1.1",
    crs="SRS",
    column=("X", "I"),
    row=("Y", "J"),
    info_format="text/plain",
    authority_order=False,
    capabilities=get_capabilities,
    report=report,
)
