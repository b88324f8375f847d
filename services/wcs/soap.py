"""GetCoverage and the rest in envelopes of SOAP (09-149r1).

A document is the body of the answer, a GML coverage too; a file is attached to it, as XOP
describes.
"""

import re
from dataclasses import replace

from services.ows.soap import MEDIA_TYPES, around, document_of, enveloped, fault, wrapped
from services.ows.transport import Response
from services.ows.xml import Maker
from services.wcs.multipart import Part, related

_XOP = "http://www.w3.org/2004/08/xop/include"
_WCS = Maker("http://www.opengis.net/wcs/2.0", {"wcs": "http://www.opengis.net/wcs/2.0"})
_INCLUDE = Maker(_XOP, {"xop": _XOP})


def in_envelope(response: Response, namespace: str) -> Response:
    """The answer in an envelope of the kind that the request had; an exception as a fault."""
    is_xml = response.media_type.partition(";")[0].endswith("xml")
    if is_xml and response.status >= 400:
        return fault(namespace, response)
    if is_xml and isinstance(response.body, bytes):
        return enveloped(namespace, response, document_of(response))
    if response.status != 200:
        return response
    media_type = MEDIA_TYPES[namespace]
    if is_xml and not isinstance(response.body, bytes):
        pieces = around(namespace, response.body)
        return replace(response, media_type=media_type, body=pieces, lasting=False)
    name = _name(response)
    part = _WCS("Coverage", _INCLUDE("Include", href=f"cid:{name}"))
    length = response.header("Content-Length")
    file = Part(response.body, response.media_type, name, int(length) if length else None)
    message = related(wrapped(namespace, part), media_type, file)
    kept = tuple(one for one in response.headers if one[0] not in {"Content-Length", "ETag"})
    size = (("Content-Length", str(message.length)),) if message.length is not None else ()
    return Response(200, message.media_type, message.pieces, (*kept, *size))


def _name(response: Response) -> str:
    found = re.search(r'filename="([^"]+)"', response.header("Content-Disposition"))
    return found[1] if found else "coverage"
