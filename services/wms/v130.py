"""WMS 1.3.0 (OGC 06-042): names, axis order, report and capabilities document."""

from collections.abc import Iterator, Sequence

from datacube.engine.context import Context
from datacube.errors import DatacubeError
from services.ows.boxes import ordered_edges
from services.ows.caching import etag, kept_document
from services.ows.extents import plain_number
from services.ows.featureinfo import INFO_FORMATS
from services.ows.reports import wms130_report
from services.ows.transport import Request, Response
from services.ows.xml import XLINK, XSI, Element, Maker, serialise
from services.wms.about import service_section
from services.wms.capabilities import Vocabulary, operation, root_layer, service_url
from services.wms.formats import listed_formats
from services.wms.inspire import SCHEMA as INSPIRE
from services.wms.inspire import extended_capabilities, worded
from services.wms.layers import Dimension, LayerEntry, layer_tree
from services.wms.legend import LEGEND_FORMATS
from services.wms.linefiles import LINE_FORMATS
from services.wms.lines import KINDS
from services.wms.schema import CHARTS, schema_location
from services.wms.version import Listing, Version

NAMESPACE = "http://www.opengis.net/wms"
_SCHEMA = "http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"
_SLD = "http://www.opengis.net/sld"
_SLD_SCHEMA = "http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd"
_EXCEPTIONS = ("XML", "INIMAGE", "BLANK", "JSON")

WMS = Maker(NAMESPACE, {None: NAMESPACE, "xlink": XLINK, "xsi": XSI, "sld": _SLD})
SLD = Maker(_SLD, {None: NAMESPACE, "xlink": XLINK, "xsi": XSI, "sld": _SLD})


def get_capabilities(context: Context, request: Request, listing: Listing) -> Response:
    """The capabilities document (06-042, 7.2)."""
    form = listing, request.base_url, context.settings.wms_charts
    tag = etag([context.catalog.sequence], "wms", "1.3.0", form)
    return kept_document(
        context,
        request,
        "text/xml",
        tag,
        lambda: serialise(capabilities_document(context, request, listing)),
    )


def capabilities_document(context: Context, request: Request, listing: Listing) -> Element:
    """WMS_Capabilities."""
    settings = worded(context.settings, listing.language)
    limits = (
        WMS("LayerLimit", settings.limits.max_layers),
        WMS("MaxWidth", settings.limits.max_width),
        WMS("MaxHeight", settings.limits.max_height),
    )
    charts = settings.wms_charts
    extended = extended_capabilities(settings, request, listing.language)
    schemas = (
        f"{NAMESPACE} {_SCHEMA} {_SLD} {_SLD_SCHEMA}",
        *((schema_location(request),) if charts else ()),
        *(() if extended is None else (INSPIRE,)),
    )
    return WMS(
        "WMS_Capabilities",
        service_section(WMS, "WMS", settings, request, *limits),
        WMS(
            "Capability",
            _operations(service_url(request), charts=charts),
            WMS("Exception", *(WMS("Format", name) for name in _EXCEPTIONS)),
            SLD("UserDefinedSymbolization", SupportSLD=1, UserLayer=0, UserStyle=1, RemoteWFS=0),
            extended,
            root_layer(_WORDS, request, settings.title, layer_tree(context, listing.cubes)),
        ),
        version="1.3.0",
        updateSequence=context.catalog.sequence,
        xsi_schemaLocation=" ".join(schemas),
    )


def report(error: DatacubeError, strict: bool) -> Response:
    """Exception report; with 4xx and 5xx statuses where strict."""
    return wms130_report(error, strict=strict)


def _operations(url: str, *, charts: bool) -> Element:
    return WMS(
        "Request",
        operation(WMS, WMS, "GetCapabilities", ("text/xml",), url),
        operation(WMS, WMS, "GetMap", listed_formats(), url),
        operation(WMS, WMS, "GetFeatureInfo", INFO_FORMATS, url),
        operation(SLD, WMS, "DescribeLayer", ("text/xml",), url),
        operation(SLD, WMS, "GetLegendGraphic", LEGEND_FORMATS, url),
        *(operation(CHARTS, WMS, name, LINE_FORMATS, url) for name in (KINDS if charts else ())),
    )


def _boxes(layer: LayerEntry) -> Iterator[Element]:
    world = layer.world
    yield WMS(
        "EX_GeographicBoundingBox",
        WMS("westBoundLongitude", plain_number(world.left)),
        WMS("eastBoundLongitude", plain_number(world.right)),
        WMS("southBoundLatitude", plain_number(world.bottom)),
        WMS("northBoundLatitude", plain_number(world.top)),
    )
    for box in layer.boxes:
        minx, miny, maxx, maxy = map(plain_number, ordered_edges(box))
        yield WMS("BoundingBox", CRS=box.crs.short, minx=minx, miny=miny, maxx=maxx, maxy=maxy)


def _dimensions(dimensions: Sequence[Dimension]) -> Iterator[Element]:
    for one in dimensions:
        yield WMS(
            "Dimension",
            ",".join(one.values),
            name=one.name,
            units=one.unit,
            unitSymbol=one.symbol or None,
            default=one.default,
            multipleValues=int(one.multiple),
            nearestValue=int(one.nearest),
            current="1" if one.current else None,
        )


_WORDS = Vocabulary(WMS, "CRS", lambda _: True, _boxes, _dimensions, str)
VERSION = Version(
    number="1.3.0",
    crs="CRS",
    column=("I", "X"),
    row=("J", "Y"),
    info_format="",
    authority_order=True,
    capabilities=get_capabilities,
    report=report,
)
