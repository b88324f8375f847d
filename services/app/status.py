"""What belongs to no service: health, unknown paths, refusals of HTTP itself."""

import json
from collections.abc import Iterable
from html import escape

from datacube import __version__
from datacube.engine.context import Context
from datacube.errors import DatacubeError
from datacube.store.objects import ObjectStore
from services.ows.caching import NO_STORE
from services.ows.transport import Request, Response
from services.ows.urls import endpoint

_PLACES = ("viewer/", "wms", "wmts", "wcs", "ogcapi/", "healthz", "metrics")


def health(context: Context, store: ObjectStore) -> Response:
    """Whether the server works and its store answers: 200, or 503 with the reason."""
    cubes = len(context.catalog.cubes())
    report: dict[str, object] = {"version": __version__, "cubes": cubes}
    try:
        store.list_prefixes("")
    except DatacubeError as error:
        report |= {"status": "failing", "store": "unreachable", "reason": error.message}
        status = 503
    else:
        report |= {"status": "ok", "store": "reachable"}
        status = 200
    return Response(status, "application/json", json.dumps(report).encode(), (NO_STORE,))


def not_found(request: Request) -> Response:
    """404 for a path that nobody serves, saying what there is."""
    places = [endpoint(request, place) for place in ("", *_PLACES)]
    if "text/html" in request.header("accept"):
        items = "".join(f'<li><a href="{escape(one)}">{escape(one)}</a></li>' for one in places)
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not found</title>'
            '<body style="font:1rem/1.5 system-ui,sans-serif;margin:3rem auto;max-width:40rem">'
            f"<h1>Nothing here</h1><p>There is nothing at <code>{escape(request.path[:200])}"
            f"</code>. There are:</p><ul>{items}</ul>"
        )
        return Response(404, "text/html; charset=utf-8", page.encode("utf-8", "replace"))
    detail = f"nothing at '{request.path[:200]}'; there are {', '.join(places)}"
    return problem(404, "NotFound", detail)


def problem(
    status: int, title: str, detail: str, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """Problem details (RFC 9457)."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Response(status, "application/problem+json", body, (NO_STORE, *headers))
