"""What the processes make: coverages and EDR queries, whose refusals tell of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from datacube.engine.context import Context
from datacube.errors import InvalidParameter, MissingParameter, RequestTooLarge
from datacube.formats.registry import encoders
from services.ogcapi.coverage import coverage
from services.ogcapi.edr import edr, edr_media
from services.ogcapi.media import coverage_encoder
from services.ogcapi.openapi import coverage_parameters, edr_parameters
from services.ows.jobs import Inputs, Process, with_way
from services.ows.kvp import Kvp
from services.ows.transport import Request, Response
from services.ows.urls import segment

type Route = Callable[[Context, Request, str], Response]

_COLLECTION, _QUERY = "collection", "query"
_LISTED = 200  # collections that the schema of an input spells out
_QUERIES = ("area", "cube")
"""Those whose answers are made piece by piece; the values of places are held."""


def _described(context: Context) -> dict[str, Any]:
    cubes = context.catalog.cubes()
    return _collection(context) | _inputs(coverage_parameters(cubes[0]) if cubes else ())


def _described_edr(context: Context) -> dict[str, Any]:
    cubes = context.catalog.cubes()
    parameters = (
        [one for kind in _QUERIES for one in edr_parameters(cubes[0], kind)] if cubes else ()
    )
    schema = {"type": "string", "enum": [*_QUERIES]}
    query = {_QUERY: {"title": "The query", "schema": schema, "minOccurs": 1, "maxOccurs": 1}}
    return _collection(context) | query | _inputs(parameters)


def _collection(context: Context) -> dict[str, Any]:
    cubes = context.catalog.cubes()
    schema: dict[str, Any] = {"type": "string"}
    if 0 < len(cubes) <= _LISTED:
        schema["enum"] = [cube.id for cube in cubes]
    return {
        _COLLECTION: {"title": "The collection", "schema": schema, "minOccurs": 1, "maxOccurs": 1}
    }


def _inputs(parameters: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Inputs as parameters are described."""
    found: dict[str, Any] = {}
    for one in parameters:
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
    name = _name(inputs)
    pairs = tuple(_pairs(inputs, "bbox-crs"))
    path = f"/ogcapi/collections/{segment(name)}/coverage"
    return coverage(context, replace(request, path=path, query=pairs), name)


def _answer_edr(context: Context, inputs: Inputs, request: Request) -> Response:
    """What an EDR query gives; raises what the query would be refused with."""
    name, kind = _name(inputs), inputs.get(_QUERY)
    if kind not in _QUERIES:
        raise InvalidParameter(f"the input query is {' or '.join(_QUERIES)}", subject=_QUERY)
    pairs = tuple(_pairs({one: inputs[one] for one in inputs if one != _QUERY}, "crs"))
    path = f"/ogcapi/collections/{segment(name)}/{kind}"
    return edr(kind)(context, replace(request, path=path, query=pairs), name)


def _name(inputs: Inputs) -> str:
    name = _text(_COLLECTION, inputs.get(_COLLECTION, ""))
    if not name:
        raise MissingParameter("the input collection is the id of one", subject=_COLLECTION)
    return name


def _pairs(inputs: Inputs, of_box: str) -> Iterator[tuple[str, str]]:
    """The inputs as the parameters of the same names.

    Parameters
    ----------
    of_box : str, name of the parameter that says the CRS of the box
    """
    for name, value in inputs.items():
        if name == _COLLECTION:
            continue
        if name == "bbox" and isinstance(value, Mapping) and "bbox" in value:
            yield name, _text(name, value["bbox"])
            if "crs" in value:
                yield of_box, _text(name, value["crs"])
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
EDR = Process(
    "edr",
    "The values of a region or a box as a file",
    "Makes the answer of /collections/ID/area or /collections/ID/cube, within the limits of jobs: "
    "the inputs are the collection, the query, and the parameters of that request.",
    _described_edr,
    _answer_edr,
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
        given = Kvp(request.query)
        f = coverage_encoder(given.optional("f", str, None), request.header("accept")).media_type
        inputs = {_COLLECTION: name, **_same(given), "f": f}
        raise with_way(error, context, request, COVERAGE, inputs) from error


def edr_or_way(kind: str) -> Route:
    """The route of an EDR query, whose refusals say the same where a job can make the answer."""
    query = edr(kind)
    if kind not in _QUERIES:
        return query

    def answer(context: Context, request: Request, name: str) -> Response:
        try:
            return query(context, request, name)
        except RequestTooLarge as error:
            given = Kvp(request.query)
            inputs = {_COLLECTION: name, _QUERY: kind, **_same(given), "f": edr_media(request)}
            raise with_way(error, context, request, EDR, inputs) from error

    return answer


def _same(given: Kvp) -> dict[str, str]:
    """The inputs that say the same as parameters."""
    return {one: ",".join(given.values(one)) for one in given.names if one in given}
