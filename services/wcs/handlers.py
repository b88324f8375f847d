"""The operations of WCS 2.0.1: decode, query, engine, encode."""

from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.engine.cube import Cube
from datacube.errors import CoverageNotFound
from datacube.formats.registry import Encoder, encoders
from datacube.model.coverage import CoverageDescription
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, ScaleFactor
from services.ows import caching
from services.ows.coveragefile import CoverageFile, content_length, coverage_file
from services.ows.kvp import Kvp
from services.ows.negotiate import ows_version
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix
from services.wcs import multipart
from services.wcs.filenames import file_name
from services.wcs.scaling import resolve_scaling
from services.wcs.v201 import capabilities, decode, gmlcov
from services.wcs.v201.decode import CoverageRequest
from services.wcs.v201.names import VERSION

_XML = "text/xml"
_GML = "application/gml+xml"


def answer_capabilities(context: Context, request: Request, kvp: Kvp) -> Response:
    """GetCapabilities."""
    ows_version(kvp, (VERSION,))
    wanted = decode.sections(kvp)
    sequence = context.catalog.version
    known = kvp.optional("updateSequence", str.strip, "") == sequence
    url = kvp_prefix(request, "/wcs")

    def make() -> bytes:
        if known:
            return capabilities.unchanged(sequence)
        cubes = filter(_has_values, context.catalog.cubes())
        return capabilities.capabilities(context.settings, cubes, url, wanted, sequence)

    tag = caching.etag([sequence], "wcs", VERSION, url, sorted(wanted), known)
    return caching.kept_document(context, request, _XML, tag, make)


def answer_description(context: Context, request: Request, kvp: Kvp) -> Response:
    """DescribeCoverage."""
    cubes = [_cube(context, name) for name in decode.coverage_ids(kvp)]
    descriptions = tuple(cube.description for cube in cubes)
    encoding = context.settings.wcs_time_encoding
    return _document(request, gmlcov.coverage_descriptions(descriptions, encoding))


def answer_coverage(context: Context, request: Request, kvp: Kvp) -> Response:
    """GetCoverage."""
    asked = decode.get_coverage(kvp)
    registry = encoders()
    named = registry.find(asked.media_type) if asked.media_type else None
    query = _bound(context, asked)
    encoder = named or registry.native(_cube(context, asked.coverage).description.domain)
    plan = plan_coverage(context, query)
    encoder.check(plan.description)
    tag = caching.etag([], plan.description, asked, encoder.media_type)
    if caching.matches(request, tag):
        return caching.not_modified(tag, caching.MOVING)
    name = _file_name(asked, plan.description, encoder)
    history = f"GetCoverage {name.rpartition('.')[0]}"
    options = {"history": history, "compression": asked.compression}
    file = coverage_file(context, query, encoder, options, head=request.head)
    return _answer(context, asked, file, encoder, name).with_headers(
        ("ETag", tag), caching.MOVING, *caching.warnings(file.notes)
    )


def decode_query(context: Context, kvp: Kvp) -> CoverageQuery:
    """The query of a GetCoverage request."""
    return _bound(context, decode.get_coverage(kvp))


def _bound(context: Context, asked: CoverageRequest) -> CoverageQuery:
    description = _cube(context, asked.coverage).description
    return _scaled(context, asked, decode.bind_query(asked, description))


def _cube(context: Context, identifier: str) -> Cube:
    cube = context.catalog.cube(identifier)
    if not _has_values(cube):
        raise CoverageNotFound(f"the cube '{identifier}' holds nothing yet", subject=identifier)
    return cube


def _has_values(cube: Cube) -> bool:
    """False for a cube that waits for its first time step."""
    return all(axis.size for axis in cube.description.domain.axes)


def _scaled(context: Context, asked: CoverageRequest, query: CoverageQuery) -> CoverageQuery:
    """The query with its scaling, for which the size of the unscaled answer may be needed."""
    scaling = resolve_scaling(
        asked.scaling,
        context.catalog.cube(query.coverage).description.domain,
        lambda: _unscaled(context, query),
    )
    return replace(query, scaling=scaling)


def _unscaled(context: Context, query: CoverageQuery) -> RectifiedGrid:
    """The equal cells that a scaling by 1 gives, on a curvilinear grid too."""
    plan = plan_coverage(context, replace(query, scaling=ScaleFactor(1.0)))
    return plan.description.domain.rectified


def _file_name(asked: CoverageRequest, description: CoverageDescription, encoder: Encoder) -> str:
    fields = description.range_type.names if asked.range_subset else ()
    return file_name(description.id, asked.brackets, fields, encoder.extension)


def _answer(
    context: Context, asked: CoverageRequest, file: CoverageFile, encoder: Encoder, name: str
) -> Response:
    if asked.multipart:
        described = gmlcov.coverage_beside_file(
            file.description, encoder, f"cid:{name}", context.settings.wcs_time_encoding
        )
        message = multipart.related(
            described, _GML, file.content, encoder.media_type, name, file.length
        )
        return Response(200, message.media_type, message.pieces, content_length(message.length))
    disposition = ("Content-Disposition", f'attachment; filename="{name}"')
    return Response(200, encoder.media_type, file.content, (disposition, *file.headers))


def _document(request: Request, body: bytes) -> Response:
    response = Response(200, _XML, body, (caching.DOCUMENT,))
    return caching.conditional(request, response, caching.etag([], body))
