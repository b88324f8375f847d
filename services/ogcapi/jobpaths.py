"""The paths of processes and jobs in the OpenAPI document."""

from typing import Any

from services.ogcapi.joblist import MOST_LISTED

_OF = "https://schemas.opengis.net/ogcapi/processes/part1/1.0/openapi/schemas"
_TAG = "jobs"


def job_paths(*, listed: bool) -> dict[str, Any]:
    """Path -> what may be done there.

    Parameters
    ----------
    listed : bool, whether the list of jobs is told
    """
    job = [_in_path("jobID", "Id of a job")]
    process = [_in_path("processID", "Id of a process")]
    body = {"required": True, "content": _json("execute")}
    file = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    paths = {
        "/processes": {"get": _operation("processes", "The processes", [], "processList")},
        "/processes/{processID}": {
            "get": _operation("process", "A process and its inputs", process, "process")
        },
        "/processes/{processID}/execution": {
            "post": {
                **_operation("execute", "Begin a job", process, "statusInfo", status="201"),
                "requestBody": body,
            }
        },
        "/jobs/{jobID}": {
            "get": _operation("job", "How a job stands", job, "statusInfo"),
            "delete": _operation("dismiss", "Stop a job and take it away", job, "statusInfo"),
        },
        "/jobs/{jobID}/results": {
            "get": _operation("results", "The file of a job", job, "", content=file)
        },
    }
    if listed:
        paths["/jobs"] = {"get": _operation("jobs", "The jobs", _of_list(), "jobList")}
    return paths


def _operation(
    name: str,
    summary: str,
    parameters: list[dict[str, Any]],
    schema: str,
    *,
    status: str = "200",
    content: dict[str, Any] | None = None,
) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"type": "object"}}}
    return {
        "summary": summary,
        "tags": [_TAG],
        "operationId": f"{_TAG}.{name}",
        "parameters": parameters,
        "responses": {
            status: {"description": summary, "content": content or _json(schema)},
            "400": {"description": "What is asked cannot be read", "content": problem},
            "404": {"description": "There is no such thing", "content": problem},
            **(_refusals(problem) if status == "201" else {}),
        },
    }


def _refusals(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "413": {"description": "The file would be too large", "content": problem},
        "503": {"description": "Too many jobs wait", "content": problem},
    }


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"{_OF}/{schema}.yaml"}}}


def _of_list() -> list[dict[str, Any]]:
    text, seconds = {"type": "string"}, {"type": "integer", "minimum": 0}
    several = {"type": "array", "items": text}
    most = {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": MOST_LISTED}
    told = {
        "status": (several, "How they stand"),
        "processID": (several, "Of which processes"),
        "type": (several, "process"),
        "datetime": (text, "When they were begun: an instant or an interval"),
        "minDuration": (seconds, "Seconds that they have run at least"),
        "maxDuration": (seconds, "Seconds that they have run at most"),
        "limit": (most, "How many at most, the newest first"),
    }
    return [
        {"name": name, "in": "query", "description": text, "schema": schema}
        | ({"style": "form", "explode": False} if schema is several else {})
        for name, (schema, text) in told.items()
    ]


def _in_path(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    found = {"name": name, "in": "path", "required": True}
    return {**found, "description": description, "schema": schema}
