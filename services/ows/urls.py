"""URLs in documents: below the public root, whatever stands before the server."""

from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from services.ows.transport import Request


def endpoint(request: Request, path: str) -> str:
    """Public URL of a path below the server's root.

    Examples
    --------
    >>> endpoint(Request("GET", "/wms", base_url="https://host/prefix"), "/wms")
    'https://host/prefix/wms'
    """
    return f"{request.base_url.rstrip('/')}/{path.lstrip('/')}"


def kvp_prefix(request: Request, path: str) -> str:
    """URL prefix of a KVP service: it ends in ``?`` so that clients append parameters."""
    return endpoint(request, path) + "?"


def with_query(url: str, pairs: Iterable[tuple[str, object]]) -> str:
    """A URL with parameters, encoded; commas, colons and slashes stay legible.

    Examples
    --------
    >>> with_query("http://h/wms?", [("REQUEST", "GetMap"), ("TIME", "2020-01-01T00:00:00Z")])
    'http://h/wms?REQUEST=GetMap&TIME=2020-01-01T00:00:00Z'
    """
    text = "&".join(
        f"{quote(name, safe='')}={quote_plus(str(value), safe=',:/')}" for name, value in pairs
    )
    if not text:
        return url
    if url.endswith(("?", "&")):
        return url + text
    return f"{url}{'&' if '?' in url else '?'}{text}"


def segment(text: str) -> str:
    """One segment of a path, encoded."""
    return quote(text, safe=":")
