"""Freshness: ETag from snapshots and query, Cache-Control, and 304.

An answer that a pinned time and a snapshot determine may be kept for long and is revalidated by
its ETag; one that moves with the newest data is kept for a minute; one whose URL names the state
of the cube for ever; errors are not kept at all.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256

from datacube import __version__
from datacube.engine.context import Context
from services.ows.transport import Request, Response

NO_STORE = ("Cache-Control", "no-store")
MOVING = ("Cache-Control", "public, max-age=60")
PINNED = ("Cache-Control", "public, max-age=86400")
DOCUMENT = ("Cache-Control", "public, max-age=30")
_STRONG = 60  # seconds after which a date names one state alone
LASTING = ("Cache-Control", "public, max-age=31536000, immutable")


def etag(snapshots: Iterable[str], *parts: object) -> str:
    """Strong entity tag of what snapshots, query and program version determine.

    Parameters
    ----------
    snapshots : str
        Committed versions that were read.
    parts : values whose repr is stable: frozen queries, styles, media types

    Examples
    --------
    >>> etag(["sst@1"], "q") == etag(["sst@1"], "q"), etag(["sst@1"], "q") == etag(["sst@2"], "q")
    (True, False)
    """
    text = repr((__version__, tuple(snapshots), parts))
    return f'"{sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'


def weak(tag: str) -> str:
    """Tag of files that name the version they were made at: the same values, not the same bytes."""
    return f"W/{tag}"


def matches(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag."""
    return names_tag(request.header("if-none-match"), tag)


def names_tag(given: str, tag: str) -> bool:
    """Whether the value of If-None-Match names a tag (weak comparison, RFC 9110, 13.1.2).

    Examples
    --------
    >>> [names_tag(given, '"a"') for given in ('W/"a"', '"b", "a"', "*", '"b"', "")]
    [True, True, True, False, False]
    """
    tags = {part.strip().removeprefix("W/") for part in given.split(",")}
    return tag.removeprefix("W/") in tags or "*" in tags


def cache_control(*, moving: bool) -> tuple[str, str]:
    """Header for a picture or value: moving with the newest data, or of a pinned time."""
    return MOVING if moving else PINNED


def not_modified(tag: str, control: tuple[str, str], *, lasting: bool = False) -> Response:
    """304 with the headers that the 200 would have; lasting as that is."""
    return Response(304, "", b"", (("ETag", tag), control), lasting=lasting)


def conditional(request: Request, response: Response, tag: str) -> Response:
    """The answer with its ETag, or 304 where the client has it already."""
    control = next((h for h in response.headers if h[0].lower() == "cache-control"), DOCUMENT)
    if response.status == 200 and matches(request, tag):
        return not_modified(tag, control)
    return response.with_headers(("ETag", tag))


def kept_document(
    context: Context, request: Request, media_type: str, tag: str, make: Callable[[], bytes]
) -> Response:
    """A text that the catalogue's version determines, made once; or 304.

    Parameters
    ----------
    tag : str
        Made of the catalogue's version and all of the request that the text depends on.
    """
    if matches(request, tag):
        varied = not_modified(tag, DOCUMENT, lasting=True)
        return varied.with_headers(("Vary", "Accept-Encoding"))
    body = context.bodies.get(tag, make)
    return Response(200, media_type, body, (("ETag", tag), DOCUMENT), lasting=True)


def warnings(notes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Headers ``Warning: 99 …`` (WMS 1.3.0, annex C.4.2), safe for a header line.

    Examples
    --------
    >>> warnings(["Default value used: time=2020-01-01T00:00:00Z ISO8601"])
    (('Warning', '99 Default value used: time=2020-01-01T00:00:00Z ISO8601'),)
    """
    lines = (" ".join(note.split()).encode("ascii", "replace").decode() for note in notes)
    return tuple(("Warning", f"99 {line}") for line in lines)


def modified(iso: str) -> tuple[tuple[str, str], ...]:
    """Header ``Last-Modified``; none where the time is not known, or less than a minute ago.

    What was ingested within the same second may be committed a little later (RFC 9110, 8.8.2.2).

    Examples
    --------
    >>> modified("2020-01-01T06:00:00+00:00"), modified("")
    ((('Last-Modified', 'Wed, 01 Jan 2020 06:00:00 GMT'),), ())
    """
    text, second = _http_date(iso)
    return (("Last-Modified", text),) if text and second + _STRONG <= time.time() else ()


@lru_cache(maxsize=1024)
def _http_date(iso: str) -> tuple[str, int]:
    """A time as HTTP writes it, and in seconds since 1970; an empty text where it is none."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return "", 0
    zoned = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    return format_datetime(zoned, usegmt=True), int(zoned.timestamp())


def unmodified(request: Request, dated: tuple[tuple[str, str], ...]) -> bool:
    """Whether a request without If-None-Match has the very date of the picture.

    An earlier one is of another state, and so is a later one: a deletion may bring back what is
    older.
    """
    since = request.header("if-modified-since").strip()
    return (
        bool(since)
        and not request.header("if-none-match")
        and dated[:1] == (("Last-Modified", since),)
    )


def shown_times(times: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Header ``Content-Datetime``: the time that is shown, or the first and the last one.

    Examples
    --------
    >>> shown_times(("2020-01-01T00:00:00Z",))
    (('Content-Datetime', '2020-01-01T00:00:00Z'),)
    """
    if not times:
        return ()
    return (("Content-Datetime", "/".join(dict.fromkeys((min(times), max(times))))),)
