"""Names of WCS 1.0.0 documents."""

from datacube.model.crs import Crs
from services.ows.xml import XLINK, XSI, Maker
from services.wcs.forms import Form

VERSION = "1.0.0"
WCS10 = "http://www.opengis.net/wcs"
GML31 = "http://www.opengis.net/gml"
SCHEMA = f"{WCS10} http://schemas.opengis.net/wcs/1.0.0"
BAND = "Band"
"""Parameter that names fields, by name or by number from 1."""

_PREFIXES: dict[str | None, str] = {None: WCS10, "gml": GML31, "xlink": XLINK, "xsi": XSI}
WCS = Maker(WCS10, _PREFIXES)
GML = Maker(GML31, _PREFIXES)


def crs_name(crs: Crs) -> str:
    """``EPSG:4326``, which has x before y here, for CRS84 too."""
    return "EPSG:4326" if crs.key == "OGC:CRS84" else crs.key


def format_name(encoder: Form) -> str:
    """The name in documents: ``GeoTIFF``, which clients look for, else a short one.

    The schema has no room for media types.
    """
    short = encoder.aliases[0] if encoder.aliases else encoder.extension
    return "GeoTIFF" if encoder.media_type == "image/tiff" else short
