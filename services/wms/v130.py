"""WMS 1.3.0 (OGC 06-042): names, axis order, report and capabilities document."""

from datacube.config.settings import Contact, ServerSettings
from datacube.engine.context import Context
from datacube.errors import DatacubeError
from services.ows.caching import etag, kept_document
from services.ows.featureinfo import INFO_FORMATS
from services.ows.pictures import MAP_FORMATS, PNG
from services.ows.reports import wms130_report
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix
from services.ows.xml import XLINK, XSI, Element, Maker, serialise
from services.wms.capabilities import keyword_list, online_resource, root_layer, text_element
from services.wms.layers import layer_tree
from services.wms.version import Version

NAMESPACE = "http://www.opengis.net/wms"
_SCHEMA = "http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"
_SLD = "http://www.opengis.net/sld"
_SLD_SCHEMA = "http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd"

WMS = Maker(NAMESPACE, {None: NAMESPACE, "xlink": XLINK, "xsi": XSI, "sld": _SLD})
SLD = Maker(_SLD, {None: NAMESPACE, "xlink": XLINK, "xsi": XSI, "sld": _SLD})


def get_capabilities(context: Context, request: Request) -> Response:
    """The capabilities document (06-042, 7.2)."""
    tag = etag([context.catalog.version], "wms", "1.3.0", request.base_url)
    return kept_document(
        context,
        request,
        "text/xml",
        tag,
        lambda: serialise(capabilities_document(context, request)),
    )


def capabilities_document(context: Context, request: Request) -> Element:
    """WMS_Capabilities."""
    settings = context.settings
    groups = layer_tree(context)
    return WMS(
        "WMS_Capabilities",
        _service(settings, request),
        WMS(
            "Capability",
            _operations(request),
            WMS("Exception", *(WMS("Format", name) for name in ("XML", "INIMAGE", "BLANK"))),
            root_layer(WMS, request, settings.title, groups),
        ),
        version="1.3.0",
        xsi_schemaLocation=f"{NAMESPACE} {_SCHEMA} {_SLD} {_SLD_SCHEMA}",
    )


def report(error: DatacubeError, strict: bool) -> Response:
    """Exception report; with 4xx and 5xx statuses where strict."""
    return wms130_report(error, strict=strict)


def _service(settings: ServerSettings, request: Request) -> Element:
    return WMS(
        "Service",
        WMS("Name", "WMS"),
        WMS("Title", settings.title),
        text_element(WMS, "Abstract", settings.abstract),
        keyword_list(WMS, settings.keywords),
        online_resource(WMS, kvp_prefix(request, "/wms")),
        _contact(settings.contact),
        WMS("Fees", settings.fees or "none"),
        WMS("AccessConstraints", settings.access_constraints or "none"),
        WMS("LayerLimit", settings.limits.max_layers),
        WMS("MaxWidth", settings.limits.max_width),
        WMS("MaxHeight", settings.limits.max_height),
    )


def _contact(contact: Contact) -> Element | None:
    if contact == Contact():
        return None
    lines = (
        ("AddressType", "postal"),
        ("Address", contact.address),
        ("City", contact.city),
        ("StateOrProvince", contact.region),
        ("PostCode", contact.postcode),
        ("Country", contact.country),
    )
    address = WMS("ContactAddress", *(WMS(name, text) for name, text in lines))
    return WMS(
        "ContactInformation",
        WMS(
            "ContactPersonPrimary",
            WMS("ContactPerson", contact.person),
            WMS("ContactOrganization", contact.organization),
        ),
        text_element(WMS, "ContactPosition", contact.position),
        address if any(text for _, text in lines[1:]) else None,
        text_element(WMS, "ContactVoiceTelephone", contact.phone),
        text_element(WMS, "ContactElectronicMailAddress", contact.email),
    )


def _operations(request: Request) -> Element:
    url = kvp_prefix(request, "/wms")
    return WMS(
        "Request",
        _operation(WMS, "GetCapabilities", ("text/xml",), url),
        _operation(WMS, "GetMap", MAP_FORMATS, url),
        _operation(WMS, "GetFeatureInfo", INFO_FORMATS, url),
        _operation(SLD, "GetLegendGraphic", (PNG,), url),
    )


def _operation(maker: Maker, name: str, formats: tuple[str, ...], url: str) -> Element:
    return maker(
        name,
        *(WMS("Format", media_type) for media_type in formats),
        WMS(
            "DCPType",
            WMS(
                "HTTP",
                WMS("Get", online_resource(WMS, url)),
                WMS("Post", online_resource(WMS, url)),
            ),
        ),
    )


VERSION = Version(
    number="1.3.0",
    crs="CRS",
    column=("I", "X"),
    row=("J", "Y"),
    authority_order=True,
    capabilities=get_capabilities,
    report=report,
)
