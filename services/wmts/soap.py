"""SOAP (07-057r7, 9): an envelope around the operations of KVP, with the same handlers.

Envelopes of SOAP 1.1 and 1.2 are taken; the answer is one of the same kind.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator

from datacube.engine.context import Context
from datacube.errors import DatacubeError, InvalidParameter
from datacube.model.markup import local_name, parse
from services.ows.caching import NO_STORE
from services.ows.kvp import Kvp
from services.ows.reports import wmts100_report
from services.ows.soap import (
    MEDIA_TYPES,
    SOAP12,
    document_of,
    envelope_of,
    enveloped,
    fault,
    request_in,
)
from services.ows.transport import Request, Response
from services.ows.xml import OWS11, Element, Maker

NAMESPACE = "http://www.opengis.net/wmts/1.0"
_WMTS = Maker(NAMESPACE, {None: NAMESPACE, "ows": OWS11})
_LISTED = {"Version": "AcceptVersions", "Section": "Sections"}
_TEXTS = ("text/", "application/json", "application/geo+json")
_XML = frozenset({*MEDIA_TYPES.values(), "application/xml"})

type Answer = Callable[[Context, Request, Kvp], Response]


def is_soap(request: Request) -> bool:
    """Whether a request is an envelope."""
    return request.method == "POST" and request.content_type in _XML


def handle(context: Context, request: Request, answer: Answer) -> Response:
    """Answer an envelope; domain errors become faults.

    Parameters
    ----------
    answer : callable
        Answers the same request as parameters; raises domain errors.
    """
    kind = SOAP12
    try:
        envelope = parse(request.body)
        if not (found := envelope_of(envelope)):
            raise InvalidParameter("the document is no SOAP envelope", subject="Envelope")
        kind = found
        asked = request_in(envelope)
        pairs = tuple(_pairs(asked))
        plain = Request("GET", request.path, pairs, {}, b"", request.base_url)
        payload = _payload(asked, answer(context, plain, Kvp(pairs)))
        return enveloped(kind, Response(200, "", b"", (NO_STORE,)), payload)
    except DatacubeError as error:
        return fault(kind, wmts100_report(error))


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
    if local_name(asked) == "GetCapabilities":
        return document_of(response)
    found = response.body
    body = found if isinstance(found, bytes) else b"".join(found)
    if response.media_type.startswith(_TEXTS):
        content = _WMTS("TextContent", body.decode("utf-8", "replace"))
        payload = _WMTS("TextPayload", _WMTS("Format", response.media_type), content)
    else:
        content = _WMTS("BinaryContent", b64encode(body).decode())
        payload = _WMTS("BinaryPayload", _WMTS("Format", response.media_type), content)
    if local_name(asked) == "GetFeatureInfo":
        return _WMTS("FeatureInfoResponse", payload)
    return payload
