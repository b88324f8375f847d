"""SOAP 1.1 and 1.2 (09-149r1): a request in an envelope, and the answer in another.

A document is the body of the answer, a GML coverage too; a file is attached to it, as XOP
describes.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from datacube.model.markup import local_name
from services.ows.transport import Response
from services.ows.xml import Element, Maker, serialise
from services.wcs.multipart import Part, related
from services.wcs.posted import child

_NAMESPACES = {
    "http://schemas.xmlsoap.org/soap/envelope/": "text/xml",
    "http://www.w3.org/2003/05/soap-envelope": "application/soap+xml",
}
_XOP = "http://www.w3.org/2004/08/xop/include"
_WCS = Maker("http://www.opengis.net/wcs/2.0", {"wcs": "http://www.opengis.net/wcs/2.0"})
_INCLUDE = Maker(_XOP, {"xop": _XOP})


def envelope_of(root: Element) -> str:
    """Namespace of the envelope that a document is; empty where it is none."""
    namespace = etree.QName(root).namespace or ""
    return namespace if local_name(root) == "Envelope" and namespace in _NAMESPACES else ""


def request_in(root: Element) -> Element | None:
    """The request within an envelope."""
    body = child(root, "Body")
    return None if body is None else next(iter(body), None)


def in_envelope(response: Response, namespace: str) -> Response:
    """The answer in an envelope of the kind that the request had; an exception as a fault."""
    media_type = _NAMESPACES[namespace]
    whole = response.body if isinstance(response.body, bytes) else None
    if whole is not None and _is_xml(response):
        document = etree.fromstring(whole, etree.XMLParser(huge_tree=True))
        inner = _fault(namespace, document) if response.status >= 400 else document
        body = _wrapped(namespace, inner)
        return replace(response, media_type=media_type, body=body, lasting=False)
    if response.status != 200:
        return response
    if not isinstance(response.body, bytes) and _is_xml(response):
        pieces = _around(namespace, response.body)
        return replace(response, media_type=media_type, body=pieces, lasting=False)
    name = _name(response)
    part = _WCS("Coverage", _INCLUDE("Include", href=f"cid:{name}"))
    length = response.header("Content-Length")
    file = Part(response.body, response.media_type, name, int(length) if length else None)
    message = related(_wrapped(namespace, part), media_type, file)
    kept = tuple(one for one in response.headers if one[0] not in {"Content-Length", "ETag"})
    size = (("Content-Length", str(message.length)),) if message.length is not None else ()
    return Response(200, message.media_type, message.pieces, (*kept, *size))


def _is_xml(response: Response) -> bool:
    return response.media_type.partition(";")[0].endswith("xml")


def _around(namespace: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A document that comes in pieces, in an envelope; its declaration is in the first of them."""
    soap = Maker(namespace, {"soap": namespace})
    head, _, tail = serialise(soap("Envelope", soap("Body"))).partition(b"<soap:Body/>")
    first = next(pieces, b"")
    declared = first.startswith(b"<?xml")
    yield head + b"<soap:Body>" + (first.partition(b"?>")[2] if declared else first)
    yield from pieces
    yield b"</soap:Body>" + tail


def _wrapped(namespace: str, inner: Element) -> bytes:
    soap = Maker(namespace, {"soap": namespace})
    return serialise(soap("Envelope", soap("Body", inner)))


def _fault(namespace: str, report: Element) -> Element:
    soap = Maker(namespace, {"soap": namespace})
    text = "A request was refused; the report says why"
    if _NAMESPACES[namespace] == "text/xml":
        plain = Maker("", {})
        code, reason = plain("faultcode", "soap:Client"), plain("faultstring", text)
        return soap("Fault", code, reason, plain("detail", report))
    code = soap("Code", soap("Value", "soap:Sender"))
    return soap(
        "Fault", code, soap("Reason", soap("Text", text, xml_lang="en")), soap("Detail", report)
    )


def _name(response: Response) -> str:
    found = re.search(r'filename="([^"]+)"', response.header("Content-Disposition"))
    return found[1] if found else "coverage"
