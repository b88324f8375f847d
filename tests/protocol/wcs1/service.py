"""WCS 1.0 and 1.1 over closed-form cubes, asked without a web server."""

import email
import email.policy
from io import BytesIO
from urllib.parse import parse_qsl

import xarray as xr
from lxml import etree
from rasterio.io import MemoryFile

from services.ows.transport import Request
from services.wcs.service import handle

NS = {
    "wcs": "http://www.opengis.net/wcs",
    "w11": "http://www.opengis.net/wcs/1.1.1",
    "ows": "http://www.opengis.net/ows/1.1",
    "gml": "http://www.opengis.net/gml",
    "ogc": "http://www.opengis.net/ogc",
    "xlink": "http://www.w3.org/1999/xlink",
}


class Service:
    """Sends key-value requests of one version."""

    base_url = "https://data.example.org/cubes"

    def __init__(self, context, version):
        self.context, self.version = context, version

    def raw(self, query, **headers):
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return handle(self.context, Request("GET", "/wcs", pairs, names, b"", self.base_url))

    def ask(self, operation, query="", **headers):
        return self.raw(
            f"SERVICE=WCS&VERSION={self.version}&REQUEST={operation}&{query}", **headers
        )

    def document(self, operation, query=""):
        response = self.ask(operation, query)
        assert response.status == 200, response.body
        assert response.media_type == "text/xml", response.body
        return etree.fromstring(response.body)

    def get(self, query):
        response = self.ask("GetCoverage", query)
        assert response.status == 200, response.body
        assert not response.media_type.endswith("xml"), response.body
        return response

    def tiff(self, query):
        """(bands, y, x) and the file's profile."""
        content = file_of(self.get(f"FORMAT=image/tiff&{query}"))
        with MemoryFile(content) as memory, memory.open() as file:
            return file.read(), file.profile, file.read_masks()

    def netcdf(self, query):
        content = file_of(self.get(f"FORMAT=application/netcdf&{query}"))
        with xr.open_dataset(BytesIO(content), engine="h5netcdf") as dataset:
            return dataset.load()

    def refused(self, query, operation="GetCoverage"):
        """(status, code, locator, text) of the report."""
        response = self.ask(operation, query)
        root = etree.fromstring(response.body)
        if self.version == "1.0.0":
            assert response.media_type == "application/vnd.ogc.se_xml"
            (one,) = root.findall("ogc:ServiceException", NS)
            return response.status, one.get("code"), one.get("locator"), one.text
        (one,) = root.findall("ows:Exception", NS)
        text = one.findtext("ows:ExceptionText", namespaces=NS)
        return response.status, one.get("exceptionCode"), one.get("locator"), text


def body_of(response):
    return response.body if isinstance(response.body, bytes) else b"".join(response.body)


def parts_of(response):
    """The parts of a message."""
    head = f"Content-Type: {response.media_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body_of(response), policy=email.policy.HTTP)
    return [part.get_payload(decode=True) for part in message.iter_parts()]


def file_of(response):
    """The file, which may stand behind its description."""
    if response.media_type.startswith("multipart/"):
        return parts_of(response)[1]
    return body_of(response)


def texts(root, path):
    return [element.text for element in root.findall(path, NS)]
