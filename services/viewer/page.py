"""``/viewer/``: the page as built by Vite, shipped inside the package, and its documents."""

import json
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import unquote

from datacube.engine.context import Context
from datacube.errors import DatacubeError, NotFoundError, OperationNotSupported
from services.ows.caching import DOCUMENT, conditional, etag, kept_document
from services.ows.reports import internal_error, problem_json
from services.ows.transport import Request, Response
from services.viewer.catalog import cubes_document, times_document

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "woff": "font/woff",
    "txt": "text/plain; charset=utf-8",
}
_HASHED = ("Cache-Control", "public, max-age=31536000, immutable")
_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The viewer is not built</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem">
<h1>The viewer is not built</h1>
<p>This installation holds the server but not the viewer's page. In a clone of the repository,
<code>make viewer</code> builds it; the wheel contains it.</p>
<p>Every other service works: see the <a href="../">landing page</a>.</p>
"""


def handle(context: Context, request: Request, tail: str) -> Response:
    """A file of the page, or one of its documents.

    Parameters
    ----------
    tail : str
        What follows ``/viewer/`` in the path.
    """
    try:
        if request.method not in {"GET", "HEAD"}:
            raise OperationNotSupported(f"{request.method} is not offered here; use GET")
        parts = [unquote(part) for part in tail.split("/") if part]
        match parts:
            case ["cubes.json"]:
                return _json(context, request, partial(cubes_document, context))
            case ["cubes", name, "times.json"]:
                cube = context.catalog.cube(name)
                return _json(context, request, partial(times_document, cube))
            case _:
                return _file(request, parts or ["index.html"])
    except DatacubeError as error:
        return problem_json(error)


def failure(request: Request, error_id: str) -> Response:  # noqa: ARG001  as in every protocol
    """Problem details of an unexpected exception that the log holds under a name."""
    return problem_json(internal_error(error_id))


def _json(context: Context, request: Request, document: Callable[[], dict[str, Any]]) -> Response:
    """A document of the page, made once for each version of the catalogue."""
    tag = etag([context.catalog.version], "viewer", request.path)

    def make() -> bytes:
        return json.dumps(document(), ensure_ascii=False).encode("utf-8", "replace")

    return kept_document(context, request, "application/json", tag, make)


def _file(request: Request, parts: list[str]) -> Response:
    static = files("services.viewer").joinpath("static")
    found = _below(static, parts)
    if found is None and parts == ["index.html"]:
        return Response(200, _TYPES["html"], _NOT_BUILT.encode(), (("Cache-Control", "no-store"),))
    if found is None:
        raise NotFoundError(f"the viewer has no file '{'/'.join(parts)[:100]}'")
    body = found.read_bytes()
    suffix = found.name.rpartition(".")[2].lower()
    control = _HASHED if parts[0] == "assets" else DOCUMENT
    media_type = _TYPES.get(suffix, "application/octet-stream")
    return conditional(request, Response(200, media_type, body, (control,)), etag([], body))


def _below(folder: Traversable, parts: list[str]) -> Traversable | None:
    """A file below a folder, found by listing: no part of a path is trusted."""
    found = folder
    for part in parts:
        if not found.is_dir():
            return None
        children = {child.name: child for child in found.iterdir()}
        if part not in children:
            return None
        found = children[part]
    return found if found.is_file() else None
