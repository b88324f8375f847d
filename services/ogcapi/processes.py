"""Processes: what can be made as a job, and their descriptions (OGC 18-062r2, 7.8 to 7.10)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from datacube import __version__
from datacube.engine.context import Context
from datacube.errors import InvalidParameter, MissingParameter, ProcessNotFound, RequestTooLarge
from datacube.formats.registry import encoders
from services.ogcapi.coverage import coverage
from services.ogcapi.media import coverage_encoder
from services.ogcapi.openapi import coverage_parameters
from services.ows.jobs import Inputs, Process, with_way
from services.ows.kvp import Kvp
from services.ows.transport import Request, Response
from services.ows.urls import endpoint, segment

EXECUTE_REL = "http://www.opengis.net/def/rel/ogc/1.0/execute"
OUTPUT = "coverage"
_COLLECTION = "collection"
_LISTED = 200  # collections that the schema of an input spells out


def _described(context: Context) -> dict[str, Any]:
    cubes = context.catalog.cubes()
    schema: dict[str, Any] = {"type": "string"}
    if 0 < len(cubes) <= _LISTED:
        schema["enum"] = [cube.id for cube in cubes]
    found: dict[str, Any] = {
        _COLLECTION: {"title": "The collection", "schema": schema, "minOccurs": 1, "maxOccurs": 1}
    }
    for one in coverage_parameters(cubes[0]) if cubes else ():
        schema = dict(one["schema"])
        if one["name"] == "f":
            schema["enum"] = [each.media_type for each in encoders().entries]
        elif one["name"] == "bbox":
            schema = {"oneOf": [schema, {"type": "array", "items": {"type": "number"}}]}
        if "example" in one:
            schema["example"] = one["example"]
        title = one["description"]
        found[one["name"]] = {"title": title, "schema": schema, "minOccurs": 0, "maxOccurs": 1}
    return found


def _answer(context: Context, inputs: Inputs, request: Request) -> Response:
    """The coverage; raises what a request with the same parameters would be refused with."""
    name = _text(_COLLECTION, inputs.get(_COLLECTION, ""))
    if not name:
        raise MissingParameter("the input collection is the id of one", subject=_COLLECTION)
    pairs = tuple(_pairs(inputs))
    path = f"/ogcapi/collections/{segment(name)}/coverage"
    return coverage(context, replace(request, path=path, query=pairs), name)


def _pairs(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """The inputs as the parameters of the same names."""
    for name, value in inputs.items():
        if name == _COLLECTION:
            continue
        if name == "bbox" and isinstance(value, Mapping) and "bbox" in value:
            yield name, _text(name, value["bbox"])
            if "crs" in value:
                yield "bbox-crs", _text(name, value["crs"])
        else:
            yield name, _text(name, value)


def _text(name: str, value: object) -> str:
    """A value as it stands in a URL; several with commas between them."""
    match value:
        case {"value": inner}:
            return _text(name, inner)
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case [*parts] if all(isinstance(part, str | int | float) for part in parts):
            return ",".join(_text(name, part) for part in parts)
        case _:
            raise InvalidParameter(
                f"the input '{name[:60]}' is a text, a number, or a list of them", subject=name[:60]
            )


COVERAGE = Process(
    "coverage",
    "A coverage as a file",
    "Makes the answer of /collections/ID/coverage, within the limits of jobs: the inputs are the "
    "collection and the parameters of that request.",
    _described,
    _answer,
)


def coverage_or_way(context: Context, request: Request, name: str) -> Response:
    """A coverage; the refusal of one that is too large says how to have it made as a job.

    Raises
    ------
    DatacubeError
        As :func:`~services.ogcapi.coverage.coverage`.
    """
    try:
        return coverage(context, request, name)
    except RequestTooLarge as error:
        inputs = _inputs_of(request, name)
        raise with_way(error, context, request, COVERAGE, inputs) from error


def _inputs_of(request: Request, name: str) -> dict[str, str]:
    """The inputs that say the same as a request."""
    given = Kvp(request.query)
    encoder = coverage_encoder(given.optional("f", str, None), request.header("accept"))
    same = {one: ",".join(given.values(one)) for one in given.names if one in given}
    return {_COLLECTION: name, **same, "f": encoder.media_type}


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
