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
    asked = byte_range(request.header("range"), len(body))
    if request.header("if-range") not in {"", tag}:
        asked = None
    if asked is None:
        return answer.with_headers(("Accept-Ranges", "bytes"))
    start, stop = asked
    if start >= stop:
        return Response(416, "", b"", (("Content-Range", f"bytes */{len(body)}"), NO_STORE))
    said = ("Content-Range", f"bytes {start}-{stop - 1}/{len(body)}")
    return replace(answer, status=206, body=body[start:stop]).with_headers(said)
