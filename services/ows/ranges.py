"""Requests for some bytes of an answer (RFC 9110, 14)."""

import re
from dataclasses import replace

from services.ows.caching import NO_STORE
from services.ows.transport import Request, Response

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one behind the last; an empty range where there is none such.

    None where the header is absent, or asks for what need not be done (RFC 9110, 14.2).

    Examples
    --------
    >>> [byte_range(f"bytes={text}", 10) for text in ("2-4", "7-", "-3", "5-99", "10-", "4-2")]
    [(2, 5), (7, 10), (7, 10), (5, 10), (10, 10), None]
    """
    found = _RANGE.fullmatch(header.replace(" ", "").lower())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size
    start, stop = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, stop) if start < size else (size, size)


def asked_bytes(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """The same of a request for so many bytes; None also where If-Range has another tag."""
    if request.header("if-range") not in {"", tag}:
        return None
    return byte_range(request.header("range"), size)


def content_range(start: int, stop: int, size: int) -> tuple[str, str]:
    """Header ``Content-Range`` of a part."""
    return "Content-Range", f"bytes {start}-{stop - 1}/{size}"


def beyond(size: int) -> Response:
    """416: nothing of so many bytes lies where it was asked for."""
    return Response(416, "", b"", (("Content-Range", f"bytes */{size}"), NO_STORE))


def some_bytes(request: Request, answer: Response, tag: str) -> Response:
    """The bytes that are asked for of an answer that is held; all of it where none are.

    Parameters
    ----------
    answer : Response, 200 with its body as bytes
    tag : str, its entity tag

    Examples
    --------
    >>> request = Request("GET", "/", headers={"range": "bytes=-2"})
    >>> part = some_bytes(request, Response(200, "text/plain", b"12345"), '"a"')
    >>> part.status, part.body, part.header("content-range")
    (206, b'45', 'bytes 3-4/5')
    """
    body = answer.body
    assert isinstance(body, bytes)  # noqa: S101  the caller holds it
    match asked_bytes(request, len(body), tag):
        case None:
            return answer.with_headers(("Accept-Ranges", "bytes"))
        case (start, stop) if start < stop:
            said = content_range(start, stop, len(body))
            return replace(answer, status=206, body=body[start:stop]).with_headers(said)
        case _:
            return beyond(len(body))
