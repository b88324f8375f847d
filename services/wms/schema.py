"""The schema of the operations that stand in capabilities in a namespace of the server's own.

They are operations as the standard defines them, in the place that it keeps for further ones
(06-042, E.1: ``_ExtendedOperation``).
"""

from datacube.engine.context import Context
from services.ows.caching import DOCUMENT
from services.ows.kvp import Kvp
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix, with_query
from services.ows.xml import XLINK, Maker, serialise
from services.wms.lines import KINDS
from services.wms.version import Version

NAMESPACE = "urn:datacube:wms"
_WMS = "http://www.opengis.net/wms"
_WMS_SCHEMA = "http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"
_XSD_URI = "http://www.w3.org/2001/XMLSchema"
_XSD = Maker(_XSD_URI, {None: _XSD_URI, "wms": _WMS})
CHARTS = Maker(NAMESPACE, {None: _WMS, "charts": NAMESPACE, "xlink": XLINK})


def schema_location(request: Request) -> str:
    """Namespace and URL of the schema, as in xsi:schemaLocation."""
    pairs = (("SERVICE", "WMS"), ("VERSION", "1.3.0"), ("REQUEST", "GetSchemaExtension"))
    return f"{NAMESPACE} {with_query(kvp_prefix(request, '/wms'), pairs)}"


def get_schema(_context: Context, _request: Request, _kvp: Kvp, _version: Version) -> Response:
    """The schema."""
    elements = (
        _XSD(
            "element",
            name=name,
            type="wms:OperationType",
            substitutionGroup="wms:_ExtendedOperation",
        )
        for name in KINDS
    )
    root = _XSD(
        "schema",
        _XSD("import", namespace=_WMS, schemaLocation=_WMS_SCHEMA),
        *elements,
        targetNamespace=NAMESPACE,
        elementFormDefault="qualified",
    )
    return Response(200, "text/xml", serialise(root), (DOCUMENT,))
