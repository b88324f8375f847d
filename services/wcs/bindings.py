"""From the body or the URL of a request to its parameters, in whatever binding they come."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from datacube.errors import InvalidParameter, MissingParameter
from services.ows.kvp import Kvp
from services.ows.soap import envelope_of, request_in
from services.ows.transport import Request
from services.ows.xml import Element
from services.wcs.posted import Pairs, document_of, is_xml
from services.wcs.v100 import posted as v100
from services.wcs.v110 import posted as v110
from services.wcs.v201 import posted as v201

_READERS: Mapping[str, tuple[str, Callable[[Element], Pairs]]] = {
    "http://www.opengis.net/wcs/2.0": ("2.0.1", v201.pairs),
    "http://www.opengis.net/wcs/wcseo/1.0": ("2.0.1", v201.pairs),
    "http://www.opengis.net/wcs/wcseo/1.1": ("2.0.1", v201.pairs),
    "http://www.opengis.net/wcseo/1.0": ("2.0.1", v201.pairs),
    "http://www.opengis.net/wcs/1.1.1": ("1.1.1", v110.pairs),
    "http://www.opengis.net/wcs/1.1": ("1.1.2", v110.pairs),
    "http://www.opengis.net/wcs": ("1.0.0", v100.pairs),
}


_SHAPES = frozenset({"application/geo+json", "application/json", "text/plain"})
_ALONE = "plain", "true"  # the envelope stands before the file, nothing else


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A request and its parameters, as far as they have been found.

    Parameters
    ----------
    request : Request, for the answer
    kvp : Kvp
    envelope : str, namespace of the SOAP envelope that it came in; empty without one
    root : Element, optional; the document that is still to be read
    """

    request: Request
    kvp: Kvp
    envelope: str = ""
    root: Element | None = None


def opened(asked: Bound) -> Bound:
    """A request with the parameters of its URL, and the envelope that it came in.

    Parameters
    ----------
    asked : Bound, of which no more is known than the URL

    Raises
    ------
    InvalidParameter
        Its body is a document that cannot be read.
    """
    if not is_xml(asked.request):
        return asked
    root = document_of(asked.request)
    return replace(asked, envelope=envelope_of(root), root=root)


def bound(asked: Bound) -> Bound:
    """The parameters of a request: of its URL and form, or of its document.

    What the URL says beside a document counts where the document does not say it.

    Raises
    ------
    InvalidParameter
        The document is no request of this service.
    """
    request, root, envelope = asked.request, asked.root, asked.envelope
    if root is None and request.method != "POST":
        return asked
    if root is None:
        return Bound(request, Kvp([*request.parameters(), *_shape(request)]))
    pairs = _pairs(request_in(root) if envelope else root)
    said = {name.lower() for name, _ in pairs}
    pairs += [(name, value) for name, value in request.query if name.strip().lower() not in said]
    if not envelope:
        return Bound(request, Kvp(pairs))
    pairs = [(name, value) for name, value in pairs if name.lower() != "mediatype"]
    return Bound(replace(request, headers={}), Kvp([*pairs, _ALONE]), envelope)


def _shape(request: Request) -> Iterator[tuple[str, str]]:
    """A polygon that is the body: GeoJSON or well-known text."""
    if request.method == "POST" and request.content_type in _SHAPES and request.body.strip():
        yield "clip", request.body.decode("utf-8", "replace")


def _pairs(root: Element) -> list[tuple[str, str]]:
    namespace = etree.QName(root).namespace or ""
    if namespace not in _READERS:
        raise InvalidParameter(
            f"the document is of the namespace '{namespace[:100]}'; requests are of "
            f"{', '.join(_READERS)}",
            subject="request",
        )
    version, read = _READERS[namespace]
    try:
        pairs = list(read(root))
    except ValueError as error:
        raise InvalidParameter(f"the document cannot be read: {error}") from error
    if any(name == "version" for name, _ in pairs):
        return pairs
    if ("request", "GetCapabilities") not in pairs:
        raise MissingParameter("the attribute version is missing", subject="version")
    return [*pairs, ("version", version)]
