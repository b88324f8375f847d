"""URLs in documents: below the public root, whatever stands before the server."""

from collections.abc import Collection, Iterable
from urllib.parse import quote, quote_plus

from datacube.errors import MissingParameter
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


def capabilities_url(request: Request, service: str) -> str:
    """URL of a service's capabilities.

    Examples
    --------
    >>> capabilities_url(Request("GET", "/wms", base_url="http://h"), "WMS")
    'http://h/wms?SERVICE=WMS&REQUEST=GetCapabilities'
    """
    pairs = [("SERVICE", service), ("REQUEST", "GetCapabilities")]
    return with_query(kvp_prefix(request, service.lower()), pairs)


def check_parameters(request: Request, names: Collection[str], service: str) -> None:
    """Say how to begin where a request has no parameters at all.

    Parameters
    ----------
    names : of the parameters that are given

    Raises
    ------
    MissingParameter
    """
    if not names:
        raise MissingParameter(
            f"the parameter REQUEST is missing; begin with {capabilities_url(request, service)}",
            subject="request",
        )


def segment(text: str) -> str:
    """One segment of a path, encoded."""
    return quote(text, safe=":")
