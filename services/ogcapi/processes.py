"""The documents of the processes: what can be made as a job (OGC 18-062r2, 7.8 to 7.10)."""

from collections.abc import Mapping
from typing import Any

from datacube import __version__
from datacube.engine.context import Context
from datacube.errors import ProcessNotFound
from datacube.formats.registry import encoders
from services.ows.jobs import Process
from services.ows.transport import Request
from services.ows.urls import endpoint

EXECUTE_REL = "http://www.opengis.net/def/rel/ogc/1.0/execute"
OUTPUT = "coverage"


def processes_document(
    processes: Mapping[str, Process], request: Request, limit: int | None
) -> dict[str, Any]:
    """The list of processes."""
    some = tuple(processes.values())[:limit]
    here = endpoint(request, "ogcapi/processes")
    return {
        "processes": [_summary(one, request) for one in some],
        "links": [_link(here, "self", "The list of processes")],
    }


def process_document(process: Process, context: Context, request: Request) -> dict[str, Any]:
    """The description of a process."""
    schemas = [
        {"type": "string", "contentEncoding": "binary", "contentMediaType": one.media_type}
        for one in encoders().entries
    ]
    return {
        **_summary(process, request),
        "inputs": process.inputs(context),
        "outputs": {OUTPUT: {"title": "The file", "schema": {"oneOf": schemas}}},
    }


def find_process(processes: Mapping[str, Process], name: str) -> Process:
    """A process by its id.

    Raises
    ------
    ProcessNotFound
    """
    if name not in processes:
        raise ProcessNotFound(
            f"no process '{name[:60]}'; there are {', '.join(processes)}", subject=name[:60]
        )
    return processes[name]


def _summary(process: Process, request: Request) -> dict[str, Any]:
    here = endpoint(request, f"ogcapi/processes/{process.id}")
    return {
        "id": process.id,
        "title": process.title,
        "description": process.description,
        "version": __version__,
        "jobControlOptions": ["async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "links": [
            _link(here, "self", "The description of the process"),
            _link(f"{here}/execution", EXECUTE_REL, "Where jobs are begun by POST"),
        ],
    }


def _link(href: str, rel: str, title: str) -> dict[str, str]:
    return {"href": href, "rel": rel, "type": "application/json", "title": title}
