"""``/collections/{id}/position``, ``trajectory``, ``area`` and ``cube`` of OGC API EDR 1.1.

The answers are CoverageJSON or CSV; ``area`` and ``cube`` have every format of coverages too. An
``area`` with ``method=mean`` (max, count, p95 …) has one value for each time in place of cells.
"""

from collections.abc import Callable

from datacube.engine.area import get_area, plan_area
from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.errors import InvalidSubset
from datacube.formats.pieces import at_once
from datacube.formats.registry import Encoder
from datacube.formats.sampled import Writer, find_writer
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.query import AreaQuery, CoverageQuery, LineQuery, Slice, Subset, Trim
from datacube.model.sampled import Sampled
from services.ogcapi.coverage import moves, send_coverage
from services.ogcapi.media import coverage_encoder, sampled_media
from services.ogcapi.parameters import datetime_subsets, decode_bbox, known
from services.ogcapi.subsets import box_subsets, parse_number
from services.ows.caching import cache_control, etag, matches, not_modified, warnings
from services.ows.geometries import parse_line, parse_places, parse_region
from services.ows.kvp import Kvp
from services.ows.places import sampled_line
from services.ows.transport import Request, Response, TakesLonger

type SampleQuery = LineQuery | AreaQuery
type EdrQuery = SampleQuery | CoverageQuery

_VALUE = 8  # bytes
_COMMON = frozenset({"f", "lang", "datetime", "z", "parameter-name", "crs"})
_COORDS = _COMMON | {"coords"}
_PARAMETERS = {
    "position": _COORDS,
    "trajectory": _COORDS,
    "area": _COORDS | {"method"},
    "cube": _COMMON | {"bbox"},
}


def decode_edr(kind: str, cube: Cube, parameters: Kvp) -> EdrQuery:
    """The query of one of :data:`~services.ogcapi.settings.EDR_QUERIES`.

    Raises
    ------
    DatacubeError
        A parameter is missing, cannot be read or does not fit the coverage.
    """
    domain = cube.description.domain
    crs = parameters.optional("crs", Crs.parse, None) or CRS84
    names = ",".join(parameters.values("parameter-name")).split(",")
    fields = tuple(name.strip() for name in names if name.strip())
    others = (*datetime_subsets(parameters, domain), *_levels(parameters, domain))
    match kind:
        case "position":
            path = parameters.one("coords", lambda text: parse_places(text, crs))
            return LineQuery(cube.id, path, others, fields)
        case "trajectory":
            path = parameters.one("coords", lambda text: parse_line(text, crs))
            return LineQuery(cube.id, path, others, fields)
        case "area":
            region = parameters.one("coords", lambda text: parse_region(text, crs))
            if method := parameters.optional("method", str.strip, ""):
                return AreaQuery(cube.id, region, method, others, fields)
            box = box_subsets(BoundingBox(*region.bounds, crs), domain)
            return CoverageQuery(cube.id, (*box, *others), fields, clip=region)
        case _:
            bbox = decode_bbox(parameters, crs)
            trims = () if bbox is None else box_subsets(bbox, domain)
            return CoverageQuery(cube.id, (*trims, *others), fields)


def edr(kind: str) -> Callable[[Context, Request, str], Response]:
    """The route of one of :data:`~services.ogcapi.settings.EDR_QUERIES`."""

    def answer(context: Context, request: Request, name: str) -> Response:
        cube = context.catalog.cube(name)
        parameters = known(request, _PARAMETERS[kind])
        query = decode_edr(kind, cube, parameters)
        if isinstance(query, CoverageQuery):
            return send_coverage(context, request, cube, query, _encoder(request))
        return _send(context, request, cube, query, _writer(request))

    return answer


def edr_media(request: Request) -> str:
    """Media type of the answer of ``area`` or ``cube``."""
    wanted = _writer if Kvp(request.query).optional("method", str.strip, "") else _encoder
    return wanted(request).media_type


def _encoder(request: Request) -> Encoder:
    f = Kvp(request.query).optional("f", str, None)
    return coverage_encoder(f, request.header("accept"))


def _writer(request: Request) -> Writer:
    return find_writer(sampled_media(Kvp(request.query).optional("f", str, None), request))


def _send(
    context: Context, request: Request, cube: Cube, query: SampleQuery, writer: Writer
) -> Response:
    control = cache_control(moving=moves(query.subsets, cube.description.domain))
    tag = etag([cube.snapshot], query, writer.media_type)
    if matches(request, tag):
        return not_modified(tag, control)
    sampled = _sampled(context, request, query)
    return Response(
        200,
        writer.media_type,
        at_once(writer.write(sampled)),
        (control, ("ETag", tag), ("Vary", "Accept"), *warnings(sampled.notes)),
    )


def _sampled(context: Context, request: Request, query: SampleQuery) -> Sampled:
    match query:
        case LineQuery():
            return sampled_line(context, request, query)
        case AreaQuery() if request.weighed:
            plan = plan_area(context, query)
            values = plan.steps * len(plan.sources)
            raise TakesLonger(plan.cells * values, values * _VALUE)
        case AreaQuery():
            return get_area(context, query)


def _levels(parameters: Kvp, domain: DomainSet) -> tuple[Subset, ...]:
    """``z=10`` or ``z=0/100``."""
    text = parameters.optional("z", str.strip, "")
    if not text:
        return ()
    if domain.vertical is None:
        raise InvalidSubset("this coverage has no levels", subject="z")
    ends = [parse_number(part, "z") for part in text.split("/")]
    match ends:
        case [level]:
            return (Slice(domain.vertical.name, level),)
        case [low, high]:
            return (Trim(domain.vertical.name, min(low, high), max(low, high)),)
        case _:
            raise InvalidSubset("z is a level or an interval low/high", subject="z")
