"""The operations of WCS 2.0.1: decode, query, engine, encode."""

from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.formats.registry import Encoder, encoders
from datacube.model.coverage import CoverageDescription
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, ScaleFactor
from services.ows import caching
from services.ows.coveragefile import CoverageFile
from services.ows.kvp import Kvp
from services.ows.sequence import is_current
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix
from services.wcs.answer import send
from services.wcs.filenames import file_name
from services.wcs.order import Order
from services.wcs.published import published, published_cube
from services.wcs.scaling import resolve_scaling
from services.wcs.v201 import capabilities, decode, gmlcov
from services.wcs.v201.decode import CoverageRequest
from services.wcs.v201.names import VERSION

_XML = "text/xml"
_GML = "application/gml+xml"


def answer_capabilities(context: Context, request: Request, kvp: Kvp) -> Response:
    """GetCapabilities."""
    wanted = decode.sections(kvp)
    sequence = context.catalog.sequence
    known = is_current(kvp, sequence)
    url = kvp_prefix(request, "/wcs")

    def make() -> bytes:
        if known:
            return capabilities.unchanged(sequence)
        cubes = published(context)
        return capabilities.capabilities(context.settings, cubes, url, wanted, sequence)

    tag = caching.etag([sequence], "wcs", VERSION, url, sorted(wanted), known)
    return caching.kept_document(context, request, _XML, tag, make)


def answer_description(context: Context, request: Request, kvp: Kvp) -> Response:
    """DescribeCoverage."""
    cubes = [published_cube(context, name) for name in decode.coverage_ids(kvp)]
    descriptions = tuple(cube.description for cube in cubes)
    encoding = context.settings.wcs_time_encoding
    body = gmlcov.coverage_descriptions(descriptions, encoding)
    response = Response(200, _XML, body, (caching.DOCUMENT,))
    return caching.conditional(request, response, caching.etag([], body))


def answer_coverage(context: Context, request: Request, kvp: Kvp) -> Response:
    """GetCoverage."""
    asked = decode.get_coverage(kvp)
    registry = encoders()
    named = registry.find(asked.media_type) if asked.media_type else None
    query = _bound(context, asked)
    cube = published_cube(context, asked.coverage)
    encoder = named or registry.native(cube.description.domain)
    plan = plan_coverage(context, query)
    name = _file_name(asked, plan.description, encoder)
    order = Order(query, encoder, name, dict(asked.options), dry=asked.dry)
    if not asked.multipart:
        return send(context, request, order)

    def describe(file: CoverageFile) -> bytes:
        encoding = context.settings.wcs_time_encoding
        return gmlcov.coverage_beside_file(file.description, encoder, f"cid:{name}", encoding)

    return send(context, request, order, describe, _GML)


def decode_query(context: Context, kvp: Kvp) -> CoverageQuery:
    """The query of a GetCoverage request."""
    return _bound(context, decode.get_coverage(kvp))


def _bound(context: Context, asked: CoverageRequest) -> CoverageQuery:
    description = published_cube(context, asked.coverage).description
    query = decode.bind_query(asked, description)
    scaling = resolve_scaling(asked.scaling, description.domain, lambda: _unscaled(context, query))
    return replace(query, scaling=scaling)


def _unscaled(context: Context, query: CoverageQuery) -> RectifiedGrid:
    """The equal cells that a scaling by 1 gives, on a curvilinear grid too."""
    plan = plan_coverage(context, replace(query, scaling=ScaleFactor(1.0)))
    return plan.description.domain.rectified


def _file_name(asked: CoverageRequest, description: CoverageDescription, encoder: Encoder) -> str:
    fields = description.range_type.names if asked.range_subset else ()
    return file_name(description.id, asked.brackets, fields, encoder.extension)
