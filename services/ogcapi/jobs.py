"""``/processes`` and ``/jobs``: files that are made while nobody waits (OGC 18-062r2)."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from datacube.engine.context import Context
from datacube.errors import InvalidParameter, NotFoundError
from datacube.jobs.jobs import Jobs
from datacube.jobs.record import Job, Wish
from datacube.jobs.runner import Made
from services.ogcapi.joblist import LIST_PARAMETERS, decode_choice
from services.ogcapi.media import check_json
from services.ogcapi.parameters import known
from services.ogcapi.processes import (
    OUTPUT,
    find_process,
    process_document,
    processes_document,
)
from services.ogcapi.results import results
from services.ogcapi.status import job_document, jobs_document
from services.ows.caching import NO_STORE
from services.ows.errors import JobsNotListed
from services.ows.jobs import Process, job_context, weigh
from services.ows.kvp import Kvp, positive, word
from services.ows.transport import Request, Response
from services.ows.urls import endpoint

_MEMBERS = frozenset({"inputs", "outputs", "response", "mode"})
_OF_PAGE = frozenset({"f", "lang"})
_OF_LIST = _OF_PAGE | LIST_PARAMETERS
_CONTROL = re.compile(rb"(?<!\\)(\\\\)*\\u00[01][0-9a-f]")


class JobDoors:
    """The processes of a server and its jobs.

    Parameters
    ----------
    context : Context
    store_url : str
    processes : sequence of Process
    """

    def __init__(self, context: Context, store_url: str, processes: Sequence[Process]) -> None:
        self._context = context
        self._processes = {one.id: one for one in processes}
        self.jobs = Jobs(context.settings.jobs, store_url, self._perform)

    def handle(self, request: Request, parts: tuple[str, ...]) -> Response:
        """Answer a request below ``/processes`` or ``/jobs``.

        Raises
        ------
        DatacubeError
            There is no such process, job or result, or it cannot be had.
        """
        if not self._context.settings.jobs.running:
            raise NotFoundError("no jobs are taken here: the setting jobs.running is 0")
        match parts:
            case ("processes",):
                limit = _parameters(request, _OF_PAGE | {"limit"}).optional("limit", positive, None)
                return _json(processes_document(self._processes, request, limit))
            case ("processes", name):
                _parameters(request, _OF_PAGE)
                process = find_process(self._processes, name)
                return _json(process_document(process, self._context, request))
            case ("processes", name, "execution"):
                return self._begin(request, find_process(self._processes, name))
            case ("jobs",):
                return self._list(request)
            case ("jobs", name):
                return self._job(request, name)
            case ("jobs", name, "results", *rest) if rest in ([], [OUTPUT]):
                return results(self.jobs, self.jobs.find(name), request, whole=bool(rest))
            case _:
                raise NotFoundError(f"nothing at '/ogcapi/{'/'.join(parts)[:100]}'")

    def _begin(self, request: Request, process: Process) -> Response:
        _parameters(request, _OF_PAGE)
        wish = _wish(request, process)
        weight = weigh(self._context, process, wish.inputs, wish.base_url)
        job = self.jobs.add(wish, weight.values, weight.nbytes)
        location = ("Location", endpoint(request, f"ogcapi/jobs/{job.id}"))
        response = _json(job_document(job, None, request), 201).with_headers(location)
        if "respond-async" in request.header("prefer").lower():
            return response.with_headers(("Preference-Applied", "respond-async"))
        return response

    def _list(self, request: Request) -> Response:
        if not self._context.settings.jobs.listed:
            raise JobsNotListed(
                "jobs are not listed here; each is known to who began it (the setting jobs.listed)"
            )
        choice = decode_choice(_parameters(request, _OF_LIST))
        jobs = choice.of(reversed(self.jobs.all()))
        return _json(jobs_document(jobs, self.jobs.expires, request))

    def _job(self, request: Request, name: str) -> Response:
        if request.method == "DELETE":
            return _json(job_document(self.jobs.dismiss(name), None, request, dismissed=True))
        _parameters(request, _OF_PAGE)
        job = self.jobs.find(name)
        return _json(job_document(job, self.jobs.expires(job), request))

    def _perform(self, job: Job) -> Made:
        """Begin the file of a job."""
        process = find_process(self._processes, job.wish.process)
        request = Request("GET", "", base_url=job.wish.base_url)
        self._context.catalog.hold()
        try:
            response = process.answer(job_context(self._context), job.wish.inputs, request)
        finally:
            self._context.catalog.let_go()
        body = response.body
        pieces = iter((body,)) if isinstance(body, bytes) else body
        warnings = (text for name, text in response.headers if name == "Warning")
        notes = tuple(text.removeprefix("99 ") for text in warnings)
        return Made(pieces, response.media_type, response.header("content-disposition"), notes)


def _wish(request: Request, process: Process) -> Wish:
    """What the body of an execution asks for.

    Raises
    ------
    InvalidParameter
        It is none, or asks for what is not done here.
    """
    try:
        body = json.loads(request.body or b"{}", parse_constant=_no_number)
        text = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"the body is no JSON: {error}", subject="body") from error
    if _CONTROL.search(text):
        raise InvalidParameter("the body holds control characters", subject="body")
    if not isinstance(body, dict) or not isinstance(inputs := body.get("inputs", {}), dict):
        raise InvalidParameter(
            'the body is an object with the member "inputs", itself an object', subject="body"
        )
    if others := sorted(set(body) - _MEMBERS):
        raise InvalidParameter(
            f"the body has '{others[0][:60]}', which is not done here; it may have "
            f"{', '.join(sorted(_MEMBERS))}",
            subject=others[0][:60],
        )
    _choice(body, "mode", ("auto", "async", "sync"))
    form = _choice(body, "response", ("raw", "document"))
    output = _output(body.get("outputs", {}))
    mode = _choice(output, "transmissionMode", ("value", "reference"))
    media_type = output.get("format", {}).get("mediaType")
    if media_type is not None and "f" not in inputs:
        inputs = {**inputs, "f": media_type}
    return Wish(
        *(process.id, inputs, request.base_url),
        document=form == "document",
        reference=mode == "reference",
    )


def _choice(given: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str:
    """One of some words; the first where none is given."""
    found = given.get(name, words[0])
    if not isinstance(found, str) or found not in words:
        raise InvalidParameter(
            f"{name} is '{str(found)[:60]}'; it can be {' or '.join(words)}", subject=name
        )
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _output(outputs: Any) -> Mapping[str, Any]:
    """What is asked of the one output."""
    found = outputs.get(OUTPUT, {}) if isinstance(outputs, dict) else None
    other = sorted(set(outputs) - {OUTPUT}) if isinstance(outputs, dict) else []
    if other or not isinstance(found, dict) or not isinstance(found.get("format", {}), dict):
        raise InvalidParameter(
            f'outputs is an object with the one member "{OUTPUT}", itself an object',
            subject="outputs",
        )
    return found


def _parameters(request: Request, names: frozenset[str]) -> Kvp:
    parameters = known(request, names)
    if parameters.optional("f", word("json"), None) is None and request.method != "POST":
        check_json(request.header("accept"))  # that of a POST may be meant for the file
    return parameters


def _json(document: dict[str, Any], status: int = 200) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Response(status, "application/json", body, (NO_STORE,))
