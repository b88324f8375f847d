"""What can be made while nobody waits for it, and how a refusal tells of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datacube.engine.context import Context
from datacube.errors import DatacubeError, InvalidParameter, RequestTooLarge
from datacube.formats.spool import spooled_in
from datacube.jobs.jobs import job_disk, most_bytes
from services.ows.transport import Request, Response, TakesLonger
from services.ows.urls import endpoint

type Inputs = Mapping[str, Any]

_LONGEST = 2000  # letters of inputs that a refusal spells out
_MOST = 65_536  # bytes of inputs, which are kept with the job


@dataclass(frozen=True, slots=True)
class Process:
    """A kind of request whose answer can be made as a job (OGC API - Processes).

    Parameters
    ----------
    id, title, description : str
    inputs : callable
        Context -> the description of each input by its name.
    answer : callable
        The answer to a request with some inputs; the request says the public URL of the server,
        and whether it is only weighed.
    """

    id: str
    title: str
    description: str
    inputs: Callable[[Context], dict[str, Any]]
    answer: Callable[[Context, Inputs, Request], Response]


def job_context(context: Context) -> Context:
    """The same context with the limits of jobs in place of those of direct answers."""
    jobs, settings = context.settings.jobs, context.settings
    most = most_bytes(jobs)
    limits = replace(
        settings.limits,
        max_stream_bytes=most,
        max_spool_bytes=most,
        max_cells=jobs.max_cells,
        max_reduced_cells=jobs.max_reduced_cells,
    )
    return replace(context, settings=replace(settings, limits=limits))


def weigh(context: Context, process: Process, inputs: Inputs, base_url: str) -> TakesLonger:
    """What a job would read; nothing is read for it.

    Raises
    ------
    DatacubeError
        The job would be refused, for its inputs cannot be meant, or cost too much.
    """
    if (size := len(json.dumps(inputs))) > _MOST:
        raise RequestTooLarge(
            f"the inputs of a job have {size:,} bytes; at most {_MOST:,} are kept", subject="inputs"
        )
    request = Request("GET", "", base_url=base_url, weighed=True)
    try:
        with spooled_in(job_disk(context.settings.jobs)):
            process.answer(job_context(context), inputs, request)
    except TakesLonger as weight:
        return weight
    raise InvalidParameter("the inputs ask for no file, but for what is told at once")


def with_way(
    error: DatacubeError, context: Context, request: Request, process: Process, inputs: Inputs
) -> DatacubeError:
    """A refusal, with how to get all the same what is too large to wait for, if it can be made."""
    if not isinstance(error, RequestTooLarge) or not context.settings.jobs.running:
        return error
    try:
        weigh(context, process, inputs, request.base_url)
    except DatacubeError:
        return error
    body = json.dumps({"inputs": inputs}, ensure_ascii=False)
    if len(body) > _LONGEST:
        body = "the inputs"
    url = endpoint(request, f"ogcapi/processes/{process.id}/execution")
    return RequestTooLarge(
        f"{error.message}. Or have it made as a job: POST {body} to {url}", subject=error.subject
    )
