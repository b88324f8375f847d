"""SOAP (07-057r7, 9): an envelope around the operations of KVP, with the same handlers.

Envelopes of SOAP 1.1 and 1.2 are taken; the answer is one of the same kind.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from datacube.engine.context import Context
from datacube.errors import DatacubeError, InvalidParameter
from datacube.model.markup import local_name, parse
from services.ows.caching import NO_STORE
from services.ows.kvp import Kvp
from services.ows.reports import wmts100_report
from services.ows.transport import Request, Response
from services.ows.xml import OWS11, Element, Maker, serialise

NAMESPACE = "http://www.opengis.net/wmts/1.0"
_KINDS: Mapping[str, str] = {
    "http://schemas.xmlsoap.org/soap/envelope/": "text/xml",
    "http://www.w3.org/2003/05/soap-envelope": "application/soap+xml",
}
_NEWER = "http://www.w3.org/2003/05/soap-envelope"
_PREFIXES = {None: NAMESPACE, "ows": OWS11}
_WMTS = Maker(NAMESPACE, _PREFIXES)
_LISTED = {"Version": "AcceptVersions", "Section": "Sections"}
_TEXTS = ("text/", "application/json", "application/geo+json")

type Answer = Callable[[Context, Request, Kvp], Response]


def is_soap(request: Request) -> bool:
    """Whether a request is an envelope."""
    return request.method == "POST" and request.content_type in {
        *_KINDS.values(),
        "application/xml",
    }


def handle(context: Context, request: Request, answer: Answer) -> Response:
    """Answer an envelope; domain errors become faults.

    Parameters
    ----------
    answer : callable
        Answers the same request as parameters; raises domain errors.
    """
    kind = _NEWER
    try:
        envelope = parse(request.body)
        kind, asked = _opened(envelope)
        pairs = tuple(_pairs(asked))
        plain = Request("GET", request.path, pairs, {}, b"", request.base_url)
        return _closed(kind, _payload(asked, answer(context, plain, Kvp(pairs))))
    except DatacubeError as error:
        return _fault(kind, error)


def _opened(envelope: Element) -> tuple[str, Element]:
    """Which SOAP it is, and the operation in its body."""
    name = etree.QName(envelope)
    kind = name.namespace or ""
    if name.localname != "Envelope" or kind not in _KINDS:
        raise InvalidParameter("the document is no SOAP envelope", subject="Envelope")
    body = envelope.find(f"{{{kind}}}Body")
    inside = [] if body is None else [one for one in body if isinstance(one.tag, str)]
    if len(inside) != 1:
        raise InvalidParameter("the body of an envelope holds one operation", subject="Body")
    return kind, inside[0]


def _pairs(asked: Element) -> Iterator[tuple[str, str]]:
    """The parameters of KVP that an operation's elements mean."""
    yield "request", local_name(asked)
    yield from ((name, asked.get(name, "")) for name in ("service", "version", "updateSequence"))
    lists: dict[str, list[str]] = {}
    for element in asked.iterdescendants():
        local, text = local_name(element), (element.text or "").strip()
        if local in _LISTED:
            lists.setdefault(_LISTED[local], []).append(text)
        elif local == "DimensionNameValue":
            yield element.get("name", ""), text
        elif not len(element):
            yield local, text
    yield from ((name, ",".join(texts)) for name, texts in lists.items())


def _payload(asked: Element, response: Response) -> Element:
    """What an operation answers, as an element."""
    body = _whole(response)
    if local_name(asked) == "GetCapabilities":
        return etree.fromstring(body)
    if response.media_type.startswith(_TEXTS):
        content = _WMTS("TextContent", body.decode("utf-8", "replace"))
        payload = _WMTS("TextPayload", _WMTS("Format", response.media_type), content)
    else:
        content = _WMTS("BinaryContent", b64encode(body).decode())
        payload = _WMTS("BinaryPayload", _WMTS("Format", response.media_type), content)
    if local_name(asked) == "GetFeatureInfo":
        return _WMTS("FeatureInfoResponse", payload)
    return payload


def _whole(response: Response) -> bytes:
    body = response.body
    return body if isinstance(body, bytes) else b"".join(body)


def _closed(kind: str, *inside: Element, status: int = 200) -> Response:
    soap = Maker(kind, {"soap": kind})
    document = serialise(soap("Envelope", soap("Body", *inside)))
    return Response(status, _KINDS[kind], document, (NO_STORE,))


def _fault(kind: str, error: DatacubeError) -> Response:
    """A fault with the report that KVP would have; of SOAP 1.1 its parts have no namespace."""
    report = wmts100_report(error)
    detail = etree.fromstring(_whole(report))
    client = report.status < 500
    soap = Maker(kind, {"soap": kind})
    if kind == _NEWER:
        fault = soap(
            "Fault",
            soap("Code", soap("Value", "soap:Sender" if client else "soap:Receiver")),
            soap("Reason", soap("Text", error.message, xml_lang="en")),
            soap("Detail", detail),
        )
    else:
        bare = Maker("", {})
        fault = soap(
            "Fault",
            bare("faultcode", "soap:Client" if client else "soap:Server"),
            bare("faultstring", error.message),
            bare("detail", detail),
        )
    return _closed(kind, fault, status=report.status if kind == _NEWER else 500)
