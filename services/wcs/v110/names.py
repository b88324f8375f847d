"""Names of WCS 1.1 documents, which differ between 1.1.0, 1.1.1 and 1.1.2."""

from dataclasses import dataclass

from services.ows.xml import OWS10, OWS11, XLINK, XSI, Maker

IMAGE_CRS = "urn:ogc:def:crs:OGC::imageCRS"
SIMPLE_GRID = "urn:ogc:def:method:WCS:1.1:2dSimpleGrid"
SQUARE_CS = "urn:ogc:def:cs:OGC:0.0:Grid2dSquareCS"
FIELD = "contents"
"""The one field of every coverage; its bands are the axis :data:`BANDS`."""
BANDS = "bands"
_GML31 = "http://www.opengis.net/gml"
_SCHEMAS = "http://schemas.opengis.net/wcs"


@dataclass(frozen=True, eq=False)
class Names:
    """Namespaces of one version.

    Parameters
    ----------
    number : str
    wcs, ows, gml : makers of elements of WCS, OWS Common and GML 3.1
    located : str, ``xsi:schemaLocation``
    """

    number: str
    wcs: Maker
    ows: Maker
    gml: Maker
    located: str


def _names(number: str, wcs: str, ows: str, folder: str) -> Names:
    prefixes: dict[str | None, str] = {None: wcs, "ows": ows, "gml": _GML31}
    prefixes |= {"xlink": XLINK, "xsi": XSI}
    gml = Maker(_GML31, prefixes)
    located = f"{wcs} {_SCHEMAS}/{folder}/wcsAll.xsd"
    return Names(number, Maker(wcs, prefixes), Maker(ows, prefixes), gml, located)


V110 = _names("1.1.0", "http://www.opengis.net/wcs/1.1", OWS10, "1.1.0")
V111 = _names("1.1.1", "http://www.opengis.net/wcs/1.1.1", OWS11, "1.1.1")
V112 = _names("1.1.2", "http://www.opengis.net/wcs/1.1", OWS11, "1.1")
