"""SOAP 1.1 and 1.2: a request in an envelope, and the answer in another of the same kind."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lxml import etree

from datacube.errors import InvalidParameter
from datacube.formats.pieces import Piece
from datacube.model.markup import local_name
from services.ows.transport import Response
from services.ows.xml import Element, Maker, serialise

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
MEDIA_TYPES: Mapping[str, str] = {
    "http://schemas.xmlsoap.org/soap/envelope/": "text/xml",
    SOAP12: "application/soap+xml",
}
"""Namespace of an envelope -> the media type of a message."""
_TEXTS = frozenset({"ExceptionText", "ServiceException"})
_REFUSED = "the request was refused"


def envelope_of(root: Element) -> str:
    """Namespace of the envelope that a document is; empty where it is none."""
    namespace = etree.QName(root).namespace or ""
    return namespace if local_name(root) == "Envelope" and namespace in MEDIA_TYPES else ""


def request_in(root: Element) -> Element:
    """The request within an envelope.

    Raises
    ------
    InvalidParameter
        There is none, or more than one.
    """
    body = root.find(f"{{{envelope_of(root)}}}Body")
    inside = [] if body is None else [one for one in body if isinstance(one.tag, str)]
    if len(inside) != 1:
        raise InvalidParameter("the body of an envelope holds one request", subject="Body")
    return inside[0]


def wrapped(namespace: str, inner: Element) -> bytes:
    """An element in an envelope."""
    soap = Maker(namespace, {"soap": namespace})
    return serialise(soap("Envelope", soap("Body", inner)))


def around(namespace: str, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """A document that comes in pieces, in an envelope; its declaration is in the first of them."""
    soap = Maker(namespace, {"soap": namespace})
    head, _, tail = serialise(soap("Envelope", soap("Body"))).partition(b"<soap:Body/>")
    first = next(pieces, b"")
    declared = first.startswith(b"<?xml")
    yield head + b"<soap:Body>" + (first.partition(b"?>")[2] if declared else first)
    yield from pieces
    yield b"</soap:Body>" + tail


def document_of(response: Response) -> Element:
    """The document that an answer is."""
    body = response.body
    whole = body if isinstance(body, bytes) else b"".join(body)
    return etree.fromstring(whole, etree.XMLParser(huge_tree=True))


def enveloped(namespace: str, response: Response, inner: Element) -> Response:
    """The same answer with an element in an envelope as its body."""
    media_type, body = MEDIA_TYPES[namespace], wrapped(namespace, inner)
    return replace(response, media_type=media_type, body=body, lasting=False)


def fault(namespace: str, report: Response) -> Response:
    """An exception report as the detail of a fault.

    With SOAP 1.1 a fault has status 500, and its parts have no namespace (6.2 and 4.4).
    """
    detail, theirs = document_of(report), report.status < 500
    texts = (one.text for one in detail.iter() if local_name(one) in _TEXTS and one.text)
    reason = next(texts, _REFUSED)
    soap, bare = Maker(namespace, {"soap": namespace}), Maker("", {})
    if namespace != SOAP12:
        inner = soap(
            "Fault",
            bare("faultcode", "soap:Client" if theirs else "soap:Server"),
            bare("faultstring", reason),
            bare("detail", detail),
        )
        return replace(enveloped(namespace, report, inner), status=500)
    inner = soap(
        "Fault",
        soap("Code", soap("Value", "soap:Sender" if theirs else "soap:Receiver")),
        soap("Reason", soap("Text", reason, xml_lang="en")),
        soap("Detail", detail),
    )
    return enveloped(namespace, report, inner)
