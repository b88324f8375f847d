"""Namespaces and element makers of WCS 2.0.1 documents."""

from services.ows.gml import GML, RGRID
from services.ows.swe import GMLCOV, SWE
from services.ows.xml import OWS20, XLINK, XSI, Element, Maker

WCS20 = "http://www.opengis.net/wcs/2.0"
SCHEMA = "http://schemas.opengis.net/wcs/2.0"
VERSION = "2.0.1"
CRS_EXTENSION = "http://www.opengis.net/wcs/crs/1.0"
INTERPOLATION_EXTENSION = "http://www.opengis.net/wcs/interpolation/1.0"
WCSEO = "http://www.opengis.net/wcs/wcseo/1.0"

PREFIXES: dict[str | None, str] = {
    "wcs": WCS20,
    "ows": OWS20,
    "gml": GML,
    "gmlcov": GMLCOV,
    "gmlrgrid": RGRID,
    "swe": SWE,
    "xlink": XLINK,
    "xsi": XSI,
}
WCS = Maker(WCS20, PREFIXES)
CRS_MAKER = Maker(CRS_EXTENSION, {"crs": CRS_EXTENSION})
INTERPOLATION_MAKER = Maker(INTERPOLATION_EXTENSION, {"int": INTERPOLATION_EXTENSION})
OWS = Maker(OWS20, PREFIXES)
GMLCOV_MAKER = Maker(GMLCOV, PREFIXES)
GML_MAKER = Maker(GML, PREFIXES)
EO = Maker(WCSEO, {**PREFIXES, "wcseo": WCSEO})


def with_id(element: Element, identifier: str) -> Element:
    """The element with its ``gml:id``."""
    element.set(f"{{{GML}}}id", identifier)
    return element
