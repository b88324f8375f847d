"""What is told of jobs: ``statusInfo`` and ``jobList`` (OGC 18-062r2, 7.12 and 10)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from datacube.jobs.record import Job
from services.ows.transport import Request
from services.ows.urls import endpoint

_RELATION = "http://www.opengis.net/def/rel/ogc/1.0"
RESULTS_REL = f"{_RELATION}/results"


def job_document(
    job: Job, expires: float | None, request: Request, *, dismissed: bool = False
) -> dict[str, Any]:
    """A job as it stands.

    Parameters
    ----------
    expires : float, optional; when it will be taken away, in seconds since 1970
    dismissed : bool, whether it has just been taken away
    """
    times = {
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "updated": job.updated,
        "expires": expires,
    }
    return {
        "jobID": job.id,
        "processID": job.wish.process,
        "type": "process",
        "status": "dismissed" if dismissed else job.state,
        "message": job.message or _words(job),
        "progress": job.progress,
        **{name: _iso(when) for name, when in times.items() if when is not None},
        "inputs": job.wish.inputs,
        "links": [] if dismissed else _links(job, endpoint(request, f"ogcapi/jobs/{job.id}")),
    }


def jobs_document(
    jobs: Sequence[Job], expires: Callable[[Job], float | None], request: Request
) -> dict[str, Any]:
    """The list of jobs."""
    here = endpoint(request, "ogcapi/jobs")
    return {
        "jobs": [job_document(job, expires(job), request) for job in jobs],
        "links": [{"href": here, "rel": "self", "type": "application/json"}],
    }


def _words(job: Job) -> str:
    match job.state:
        case "accepted":
            return "it waits for its turn"
        case "running":
            return f"about {job.nbytes / 1e6:,.1f} MB of values are read"
        case _:
            return "the file is there"


def _links(job: Job, here: str) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = [{"href": here, "rel": "self", "type": "application/json"}]
    if job.file is not None:
        is_file = not (job.wish.document or job.wish.reference)
        media_type = job.file.media_type if is_file else "application/json"
        found = {"href": f"{here}/results", "rel": RESULTS_REL, "type": media_type}
        links.append({**found, "length": job.file.size} if is_file else found)
    elif job.state == "failed":
        media_type = "application/problem+json"
        links.append(
            {"href": f"{here}/results", "rel": f"{_RELATION}/exceptions", "type": media_type}
        )
    else:  # where some clients look for what becomes of it
        links.append({"href": here, "rel": "monitor", "type": "application/json"})
    return links


def _iso(seconds: float) -> str:
    """An instant with milliseconds.

    Examples
    --------
    >>> _iso(1.5)
    '1970-01-01T00:00:01.500Z'
    """
    when = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return when.replace("+00:00", "Z")
