"""The file that a job has made, or a part of it."""

import json
from base64 import b64encode
from collections.abc import Iterator

from datacube.formats.pieces import Piece
from datacube.jobs.jobs import Jobs
from datacube.jobs.record import Job, ResultFile
from services.ogcapi.processes import OUTPUT
from services.ogcapi.status import RESULTS_REL
from services.ows.caching import NO_STORE, matches, not_modified
from services.ows.coveragefile import content_length
from services.ows.kvp import bare_type
from services.ows.ranges import asked_bytes, beyond, content_range
from services.ows.transport import Request, Response
from services.ows.urls import endpoint

_TAIL = b'"}}'
_PRIVATE = ("Cache-Control", "private")


def results(jobs: Jobs, job: Job, request: Request, *, whole: bool) -> Response:
    """The results of a job in the form that was asked for: the file, a document, or a link.

    Parameters
    ----------
    whole : bool, whether the file itself is asked for in any case

    Raises
    ------
    ResultNotReady
        It is not yet made.
    DatacubeError
        What the job has failed with.
    """
    file, wish = jobs.file(job), job.wish
    if whole or not (wish.document or wish.reference):
        return _send(jobs, job, file, request)
    if not wish.reference:
        return _inline(jobs, job, file)
    here = endpoint(request, f"ogcapi/jobs/{job.id}/results/{OUTPUT}")
    body = json.dumps({OUTPUT: {"href": here, "type": file.media_type}}).encode()
    link = f'<{here}>; rel="{RESULTS_REL}"; type="{bare_type(file.media_type)}"'
    return Response(200, "application/json", body, (("Link", link), NO_STORE))


def _inline(jobs: Jobs, job: Job, file: ResultFile) -> Response:
    """A document with the file itself, written while it is sent."""
    told = {"mediaType": file.media_type, "encoding": "base64", "value": ""}
    head = json.dumps({OUTPUT: told}).encode().removesuffix(b'"}}')
    content = jobs.content(job, 0, file.size)
    length = len(head) + -(-file.size // 3) * 4 + len(_TAIL)
    pieces = _inlined(head, content.pieces)
    return Response(200, "application/json", pieces, (*content_length(length), NO_STORE))


def _inlined(head: bytes, pieces: Iterator[Piece]) -> Iterator[Piece]:
    yield head
    rest = b""
    for piece in pieces:
        held = rest + piece
        whole = len(held) // 3 * 3
        rest = held[whole:]
        yield b64encode(memoryview(held)[:whole])
    yield b64encode(rest) + _TAIL


def _send(jobs: Jobs, job: Job, file: ResultFile, request: Request) -> Response:
    tag = f'"{job.id}"'
    if matches(request, tag):
        return not_modified(tag, _PRIVATE)
    disposition = (("Content-Disposition", file.disposition),) if file.disposition else ()
    headers = (("ETag", tag), _PRIVATE, ("Accept-Ranges", "bytes"), *disposition)
    match asked_bytes(request, file.size, tag):
        case None:
            content, status = jobs.content(job, 0, file.size), 200
        case (start, stop) if start < stop:
            content, status = jobs.content(job, start, stop - start), 206
            headers += (content_range(start, stop, file.size),)
        case _:
            return beyond(file.size)
    headers += content_length(content.length)
    return Response(status, file.media_type, content.pieces, headers)
