"""Everything below ``/ogcapi/``: which route, and every error as problem details."""

from dataclasses import replace
from urllib.parse import unquote

from datacube.engine.context import Context
from datacube.errors import CoverageNotFound, DatacubeError, NotFoundError
from services.ogcapi import documents
from services.ogcapi.documents import Document, Documents
from services.ogcapi.executions import coverage_or_way, edr_or_way
from services.ogcapi.grids import domain_set, range_type
from services.ogcapi.jobs import JobDoors
from services.ogcapi.maps import map_of
from services.ogcapi.media import NotAcceptable, document_format
from services.ogcapi.settings import EDR_QUERIES
from services.ows.caching import DOCUMENT, conditional, etag
from services.ows.reports import internal_error, problem_json
from services.ows.transport import Request, Response
from services.ows.urls import endpoint

_ROOT_DOCUMENTS: dict[tuple[str, ...], Document] = {
    (): documents.LANDING,
    ("conformance",): documents.CONFORMANCE,
    ("openapi",): documents.OPENAPI,
    ("api",): documents.OPENAPI,
    ("collections",): documents.COLLECTIONS,
}
_COLLECTION_DOCUMENTS: dict[str, Document] = {
    "": documents.COLLECTIONS,
    "schema": documents.SCHEMA,
    "queryables": documents.QUERYABLES,
}
_COLLECTION_ROUTES = {
    "coverage": coverage_or_way,
    "coverage/domainset": domain_set,
    "coverage/rangetype": range_type,
    "map": map_of,
    **{kind: edr_or_way(kind) for kind in EDR_QUERIES},
}

_PLAIN = frozenset(
    {"f", "coords", "datetime", "z", "subset", "parameter-name", "properties", "bbox"}
)
_SHORT = 200  # letters


class OgcApi:
    """The OGC API of one context.

    Parameters
    ----------
    context : Context
    jobs : JobDoors, its processes and jobs
    """

    def __init__(self, context: Context, jobs: JobDoors) -> None:
        self._context = context
        self._documents = Documents(context)
        self._jobs = jobs

    def handle(self, request: Request, tail: str) -> Response:
        """Answer a request; domain errors become problem details.

        Parameters
        ----------
        tail : str
            What follows ``/ogcapi`` in the path.
        """
        try:
            return self._route(request, tuple(part for part in tail.split("/") if part))
        except NotAcceptable as error:
            return _not_acceptable(error)
        except DatacubeError as error:
            return problem_json(error)

    def _route(self, request: Request, parts: tuple[str, ...]) -> Response:
        if parts and parts[0] in {"processes", "jobs"}:
            return self._jobs.handle(request, parts)
        if (kind := _ROOT_DOCUMENTS.get(parts)) is not None:
            return self._document(request, kind)
        match parts:
            case ("collections", name, *rest):
                return self._collection(request, unquote(name), "/".join(rest))
            case _:
                raise NotFoundError(
                    f"nothing at '/ogcapi/{'/'.join(parts)[:100]}'; the landing page is "
                    f"{endpoint(request, 'ogcapi/')}"
                )

    def _collection(self, request: Request, name: str, rest: str) -> Response:
        cube = self._context.catalog.cube(name)
        if (route := _COLLECTION_ROUTES.get(rest)) is not None:
            return route(self._context, request, cube.id)
        if (kind := _COLLECTION_DOCUMENTS.get(rest)) is not None:
            return self._document(request, kind, cube.id)
        raise NotFoundError(
            f"the collection '{cube.id}' has no '{rest[:60]}'; it has "
            f"{', '.join(sorted([*_COLLECTION_ROUTES, 'schema', 'queryables']))}"
        )

    def _document(self, request: Request, kind: Document, *names: str) -> Response:
        f = next((value for key, value in request.query if key == "f" and value), None)
        form = document_format(f, request.header("accept"))
        base_url = endpoint(request, "ogcapi")
        status, media_type, body = self._documents.document(
            kind, base_url, request.path.strip("/"), form, *names
        )
        if status == 404:
            raise CoverageNotFound(f"no collection '{names}'")
        response = Response(status, media_type, body, (DOCUMENT, ("Vary", "Accept")))
        return conditional(request, response, etag([self._context.catalog.version], body))


def is_brief(request: Request, tail: str) -> bool:
    """Whether a request asks for stored values as they are, of which there may be few."""
    query = tail.rpartition("/")[2]
    return query in {"coverage", "position"} and all(
        name in _PLAIN and len(value) <= _SHORT for name, value in request.query
    )


def methods(tail: str) -> frozenset[str]:
    """What may be done with what lies at a path below ``/ogcapi``."""
    match tuple(part for part in tail.split("/") if part):
        case ("processes", _, "execution"):
            return frozenset({"POST"})
        case ("jobs", _):
            return frozenset({"GET", "DELETE"})
        case _:
            return frozenset({"GET"})


def failure(request: Request, error_id: str) -> Response:  # noqa: ARG001  as in every protocol
    """Problem details of an unexpected exception that the log holds under a name."""
    return problem_json(internal_error(error_id))


def _not_acceptable(error: NotAcceptable) -> Response:
    report = problem_json(error)
    body = report.body if isinstance(report.body, bytes) else b"".join(report.body)
    return replace(report, status=406, body=body.replace(b'"status": 400', b'"status": 406'))
