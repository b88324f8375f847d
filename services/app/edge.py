"""What HTTP is, apart from any service: public URL, CORS, compression, clean text."""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qsl, urlsplit

from datacube.errors import InvalidParameter
from datacube.formats.pieces import Piece
from services.ows.transport import Response

MAX_FIELDS = 500
_GZIP_FROM = 1000  # bytes; smaller answers fit one packet anyway
_TEXT = re.compile(
    r"^(text/(?!event-stream)|application/([\w.-]+[+_])?(json|xml|javascript)\b|image/svg)"
)
_UNCLEAN = re.compile("[^\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAKING = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"^(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$")
_PREFIX = re.compile(r"^(?:/[A-Za-z0-9_.~-]+)*/?$")

_EXPOSED = (
    *("Content-Crs", "Content-Datetime", "Content-Disposition", "Content-Range", "ETag", "Link"),
    *("Location", "Retry-After", "Warning", "X-Request-Id"),
)
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    (
        "Access-Control-Expose-Headers",
        ", ".join(_EXPOSED),
    ),
)
_PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE, OPTIONS"),
    ("Access-Control-Max-Age", "86400"),
)
_ALLOWED_HEADERS = (
    "Accept, Accept-Language, Authorization, Content-Type, If-None-Match, Prefer, Range"
)


def clean(text: str) -> str:
    r"""Text without what no document may hold: control characters, halves of surrogates.

    Examples
    --------
    >>> clean("a\x00b")
    'a�b'
    """
    return text if text.isprintable() else _UNCLEAN.sub("\ufffd", text)


def query_pairs(query: str) -> tuple[tuple[str, str], ...]:
    """Decoded parameters of a query string, in order; broken encodings become U+FFFD.

    Raises
    ------
    InvalidParameter
        There are more than 500.

    Examples
    --------
    >>> query_pairs("LAYERS=a%2Cb&x=%ff&STYLES=")
    (('LAYERS', 'a,b'), ('x', '\ufffd'), ('STYLES', ''))
    """
    if query.count("&") >= MAX_FIELDS:
        raise InvalidParameter(f"the query has more than {MAX_FIELDS} parameters")
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return tuple((clean(name), clean(value)) for name, value in pairs)


class PublicUrl:
    """The public URL of the server's root, for each request.

    A configured URL wins. Forwarded headers count only when the peer is a trusted proxy.

    Parameters
    ----------
    configured : str, may be empty
    trusted : addresses or networks (``10.0.0.0/8``), or ``*``
    """

    def __init__(self, configured: str, trusted: Iterable[str]) -> None:
        self._configured = configured.rstrip("/")
        self._prefix = urlsplit(self._configured).path
        names = tuple(trusted)
        self._everyone = "*" in names
        self._networks = tuple(ip_network(name, strict=False) for name in names if name != "*")

    def of(self, scheme: str, host: str, peer: str, headers: Mapping[str, str]) -> tuple[str, str]:
        """The public root without a slash at its end, and the prefix in it.

        Parameters
        ----------
        scheme, host : str
            As the request itself has them.
        peer : str
            Address of the client or of the proxy before the server.
        headers : mapping, names in lower case

        Examples
        --------
        >>> url = PublicUrl("", ["127.0.0.1"])
        >>> sent = {"x-forwarded-proto": "https", "x-forwarded-host": "maps.example"}
        >>> url.of("http", "localhost:8000", "127.0.0.1", sent)
        ('https://maps.example', '')
        >>> url.of("http", "localhost:8000", "192.0.2.1", sent)
        ('http://localhost:8000', '')
        """
        if self._configured:
            return self._configured, self._prefix
        prefix = ""
        if self._trusts(peer):
            scheme = _first(headers, "x-forwarded-proto", scheme, re.compile(r"^https?$"))
            host = _first(headers, "x-forwarded-host", host, _HOST)
            prefix = _first(headers, "x-forwarded-prefix", "", _PREFIX).rstrip("/")
        return f"{scheme}://{host if _HOST.match(host) else 'localhost'}{prefix}", prefix

    def _trusts(self, peer: str) -> bool:
        if self._everyone:
            return True
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _first(headers: Mapping[str, str], name: str, default: str, pattern: re.Pattern[str]) -> str:
    value = headers.get(name, "").partition(",")[0].strip()
    return value if value and pattern.match(value) else default


def below(path: str, prefix: str) -> str:
    """The path below the public prefix, whether or not the proxy has taken it off.

    Examples
    --------
    >>> below("/maps/wms", "/maps"), below("/wms", "/maps"), below("/maps", "/maps")
    ('/wms', '/wms', '/')
    """
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        path = path[len(prefix) :]
    return path or "/"


def preflight(headers: Mapping[str, str]) -> Response:
    """Answer to OPTIONS, CORS preflight or not; Access-Control-Allow-Origin is on every answer."""
    asked = headers.get("access-control-request-headers", "")
    names = asked if re.fullmatch(r"[A-Za-z0-9_, -]{1,500}", asked) else _ALLOWED_HEADERS
    allow = ("Allow", "GET, HEAD, POST, DELETE, OPTIONS")
    return Response(204, "", b"", (allow, *_PREFLIGHT, ("Access-Control-Allow-Headers", names)))


def compressed(response: Response, accept_encoding: str) -> Response:
    """The answer with gzip where it is text and the client takes it."""
    if not _TEXT.match(response.media_type) or response.header("content-encoding"):
        return response
    body = response.body
    if isinstance(body, bytes) and len(body) < _GZIP_FROM:
        return response
    varied = _with_vary(response.headers)
    if response.status != 200 or not takes_gzip(accept_encoding):
        return replace(response, headers=varied)
    packed = b"".join(_gzip((body,))) if isinstance(body, bytes) else _gzip(body)
    kept = (_weak(header) for header in varied if header[0].lower() != "content-length")
    return replace(response, body=packed, headers=(*kept, ("Content-Encoding", "gzip")))


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether Accept-Encoding allows gzip.

    Examples
    --------
    >>> takes_gzip("br, gzip;q=0.8"), takes_gzip("gzip;q=0"), takes_gzip("")
    (True, False, False)
    """
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.partition(";")
        if name.strip() in {"gzip", "x-gzip", "*"}:
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", parameter)
    return False


def _gzip(pieces: Iterable[Piece]) -> Iterator[Piece]:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def _with_vary(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    names = [value for name, value in headers if name.lower() == "vary"]
    rest = tuple(header for header in headers if header[0].lower() != "vary")
    return (*rest, ("Vary", ", ".join([*names, "Accept-Encoding"])))


def _weak(header: tuple[str, str]) -> tuple[str, str]:
    """Packed bytes are another representation: the tag says only that the content is the same."""
    name, value = header
    strong = name.lower() == "etag" and not value.startswith("W/")
    return (name, f"W/{value}") if strong else header


def header_lines(response: Response) -> list[tuple[str, str]]:
    """Headers as they go out: media type first, nothing that could break a line."""
    typed = (("Content-Type", response.media_type),) if response.media_type else ()
    return [(name, _unbroken(text)) for name, text in (*typed, *response.headers)]


def _unbroken(text: str) -> str:
    return text if text.isprintable() else _BREAKING.sub(" ", text)
