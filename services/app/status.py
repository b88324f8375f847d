"""What belongs to no service: health, unknown paths, refusals of HTTP itself."""

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from datacube import __version__
from datacube.engine.context import Context
from datacube.errors import DatacubeError
from datacube.store.objects import ObjectStore
from services.ows.caching import NO_STORE
from services.ows.transport import Request, Response
from services.ows.urls import capabilities_url, endpoint

_PLACES = ("viewer/", "wms", "wmts", "wcs", "ogcapi/", "healthz", "metrics")


def health(context: Context, store: ObjectStore) -> Response:
    """Whether the server works and its store answers: 200, or 503 with the reason."""
    cubes = len(context.catalog.cubes())
    report: dict[str, object] = {"version": __version__, "cubes": cubes}
    status = 503
    try:
        store.list_prefixes("")
    except DatacubeError as error:
        report |= {"status": "failing", "store": "unreachable", "reason": error.message}
    else:
        if reason := absence(store):
            report |= {"status": "failing", "store": "absent", "reason": reason}
        else:
            report |= {"status": "ok", "store": "reachable"}
            status = 200
    return Response(status, "application/json", json.dumps(report).encode(), (NO_STORE,))


def absence(store: ObjectStore) -> str:
    """What is wrong where the folder of the store is not there, which is no empty store."""
    if store.is_local and not Path(store.url).is_dir():
        return (
            f"there is no folder {store.url}: a disk that is not mounted, or nothing ingested yet"
        )
    return ""


def guide(request: Request, service: str) -> Response | None:
    """For a request without any parameter: a page for a browser that says how to begin.

    Parameters
    ----------
    service : str, ``WMS``, ``WMTS`` or ``WCS``
    """
    if request.query or request.body or "text/html" not in request.header("accept"):
        return None
    links = "".join(
        f'<li><a href="{escape(url)}">{escape(url)}</a>: {words}</li>'
        for url, words in (
            (capabilities_url(request, service), "what there is"),
            (endpoint(request, "viewer/"), "the viewer"),
            (endpoint(request, ""), "all end points"),
        )
    )
    return _page(
        200,
        f"A {service}",
        f"This is the address of a {service}. Give it to a client such as QGIS, or begin with one "
        f"of these:</p><ul>{links}</ul>",
    )


def not_found(request: Request) -> Response:
    """404 for a path that nobody serves, saying what there is."""
    places = [endpoint(request, place) for place in ("", *_PLACES)]
    if "text/html" in request.header("accept"):
        items = "".join(f'<li><a href="{escape(one)}">{escape(one)}</a></li>' for one in places)
        return _page(
            404,
            "Nothing here",
            f"There is nothing at <code>{escape(request.path[:200])}</code>. There are:</p>"
            f"<ul>{items}</ul>",
        )
    detail = f"nothing at '{request.path[:200]}'; there are {', '.join(places)}"
    return problem(404, "NotFound", detail)


def problem(
    status: int, title: str, detail: str, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """Problem details (RFC 9457)."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Response(status, "application/problem+json", body, (NO_STORE, *headers))


def _page(status: int, title: str, text: str) -> Response:
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<body style="font:1rem/1.5 system-ui,sans-serif;margin:3rem auto;max-width:40rem">'
        f"<h1>{escape(title)}</h1><p>{text}"
    )
    body = page.encode("utf-8", "replace")
    return Response(status, "text/html; charset=utf-8", body, (NO_STORE,))
