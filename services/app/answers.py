"""From a route's answer to what is sent, and to what is known of its URL afterwards."""

import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from datacube.engine.context import Context
from datacube.formats.pieces import Piece
from services.app import edge
from services.app.access import Subject
from services.app.known import Known, Lines
from services.app.routes import Route
from services.ows.caching import names_tag
from services.ows.transport import AT_ONCE, Request, Response, TakesLonger

LOGGER = logging.getLogger("datacube.server")
_ALWAYS: Lines = tuple(
    (name.lower().encode(), text.encode())
    for name, text in (*edge.CORS, ("X-Content-Type-Options", "nosniff"))
)
_OF_A_304 = frozenset({b"etag", b"cache-control", b"vary", b"warning"})


class Outgoing(NamedTuple):
    """An answer as it is sent.

    Parameters
    ----------
    status : int
    lines : header lines, without the request's id
    body : bytes; pieces of them that are there; or an iterator that makes them
    known : what the answer says of its URL; None where that is nothing
    """

    status: int
    lines: Lines
    body: bytes | tuple[Piece, ...] | Iterator[Piece]
    known: Known | None = None


def answer(
    context: Context, request: Request, route: Route, subject: Subject, error_id: str
) -> Outgoing:
    """Ask the route; an unexpected exception becomes a report that names the log's entry.

    Raises
    ------
    TakesLonger
        The request is a brief one, and its answer is not.
    """
    version = context.catalog.hold()
    try:
        return outgoing(context, request, route.handle(request), version, subject)
    except TakesLonger:
        raise
    except Exception:
        LOGGER.exception("request %s failed: %s %s", error_id, request.method, request.path[:200])
        response = route.failure(request, error_id)
    finally:
        context.catalog.let_go()
    return outgoing(context, request, response, version, subject)


def outgoing(
    context: Context, request: Request, response: Response, version: str, subject: Subject
) -> Outgoing:
    """The answer as it is sent; all pieces of one that is not large are made here.

    Parameters
    ----------
    version : str
        Of the catalogue that the answer was made of; empty where it was made of none.
    """
    packed = edge.compressed(response, request.header("accept-encoding"))
    lines, body = _lines(packed), packed.body if request.head else _made(packed)
    if packed.status in {204, 304}:
        body = b""
    elif isinstance(body, bytes):
        lines = (*lines, (b"content-length", b"%d" % len(body)))
    if not (response.lasting and version and request.method == "GET"):
        return Outgoing(packed.status, lines, body)
    tag = response.header("etag")
    key = tag if packed is response else (tag, packed.header("content-encoding"))
    if packed.status == 304:
        return Outgoing(304, lines, body, Known(version, tag, key, None, lines, subject))
    bare = (*_ALWAYS, *(line for line in lines if line[0] in _OF_A_304))
    if isinstance(body, bytes):
        whole = body
        context.bodies.get(key, lambda: whole)
    return Outgoing(200, lines, body, Known(version, tag, key, lines, bare, subject))


def at_once(context: Context, known: Known, if_none_match: str) -> Outgoing | None:
    """The answer of a URL of which enough is known; None where it has to be made."""
    tag = known.tag
    if if_none_match and (if_none_match == tag or names_tag(if_none_match, tag)):
        return Outgoing(304, known.bare, b"")
    if known.whole is None or (body := context.bodies.held(known.body)) is None:
        return None
    return Outgoing(200, known.whole, body)


def _made(response: Response) -> bytes | tuple[Piece, ...] | Iterator[Piece]:
    """A body, whose pieces are made where they are known to be few."""
    body, length = response.body, response.header("content-length")
    if isinstance(body, bytes) or not length or int(length) > AT_ONCE:
        return body
    return tuple(body)


def _lines(response: Response) -> Lines:
    own = ((_name(name), _latin(text)) for name, text in edge.header_lines(response))
    return (*_ALWAYS, *own)


@lru_cache(maxsize=100)
def _name(name: str) -> bytes:
    return name.lower().encode("latin-1")


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")
