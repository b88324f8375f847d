"""The operations of WCS 2.0.1: decode, query, engine, encode."""

from dataclasses import replace
from functools import partial
from operator import itemgetter

from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.engine.cube import Cube
from datacube.formats import gml
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, ScaleFactor
from services.ows import caching
from services.ows.coveragefile import CoverageFile
from services.ows.kvp import Kvp
from services.ows.places import check_places
from services.ows.sequence import is_current
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix, with_query
from services.wcs.answer import send
from services.wcs.filenames import file_name
from services.wcs.forms import Form, find_form
from services.wcs.published import published
from services.wcs.scaling import resolve_scaling
from services.wcs.v201 import capabilities, decode, gmlcov
from services.wcs.v201.decode import CoverageRequest
from services.wcs.v201.eo import documents
from services.wcs.v201.eo.datasets import Dataset, coverage_of
from services.wcs.v201.eo.decode import coverage_set
from services.wcs.v201.eo.search import find
from services.wcs.v201.formats import formats_of
from services.wcs.v201.names import VERSION

_XML = "text/xml"
_LONGEST_URL = 8000


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
    names = decode.coverage_ids(kvp)
    coverages = [coverage_of(context, name) for name in names]
    tag = caching.etag([context.catalog.sequence], "wcs", VERSION, "described", names)

    def make() -> bytes:
        return gmlcov.coverage_descriptions(coverages, context.settings)

    return caching.kept_document(context, request, _XML, tag, make)


def answer_coverage_set(context: Context, request: Request, kvp: Kvp) -> Response:
    """DescribeEOCoverageSet."""
    asked = coverage_set(kvp)
    found = find(context, asked)
    body = documents.coverage_set(found, asked.sections, context.settings)
    response = Response(200, _XML, body, (caching.DOCUMENT,))
    return caching.conditional(request, response, caching.etag([], body))


def answer_coverage(context: Context, request: Request, kvp: Kvp) -> Response:
    """GetCoverage."""
    asked = decode.get_coverage(kvp)
    coverage = coverage_of(context, asked.coverage)
    domain, settings = coverage.description.domain, context.settings
    subject = gmlcov.Subject(coverage, settings, partial(_url, request, kvp))
    wanted = asked.media_type or gmlcov.native_format(domain, settings)
    encoder = find_form(wanted, formats_of(subject))
    query = _bound(context, coverage, asked)
    check_places(context, request, query.coverage, query.subsets)
    fields = plan_coverage(context, query).description.range_type.names
    name = _file_name(asked, coverage.description.id, fields, encoder)
    order = asked.extras.order(query, encoder, name)
    if not asked.multipart or encoder.media_type == gml.MEDIA_TYPE:
        return send(context, request, order)

    def describe(file: CoverageFile) -> bytes:
        return gmlcov.coverage_beside_file(subject, file.description, encoder, f"cid:{name}")

    return send(context, request, order, describe, gml.MEDIA_TYPE)


def decode_query(context: Context, kvp: Kvp) -> CoverageQuery:
    """The query of a GetCoverage request."""
    asked = decode.get_coverage(kvp)
    return _bound(context, coverage_of(context, asked.coverage), asked)


def _url(request: Request, kvp: Kvp) -> str:
    """The request as a URL, in whatever binding it came; empty where it would be no URL to send.

    Names are in order, so that a request that was posted says the same.
    """
    pairs = sorted(kvp.but("plain").pairs, key=itemgetter(0))
    url = with_query(kvp_prefix(request, "/wcs"), pairs)
    return url if len(url) <= _LONGEST_URL else ""


def _bound(context: Context, coverage: Cube | Dataset, asked: CoverageRequest) -> CoverageQuery:
    domain = coverage.description.domain
    query = decode.bind_query(asked, coverage.description)
    query = coverage.of_cube(query) if isinstance(coverage, Dataset) else query
    scaling = resolve_scaling(asked.scaling, domain, lambda: _unscaled(context, query))
    return replace(query, scaling=scaling)


def _unscaled(context: Context, query: CoverageQuery) -> RectifiedGrid:
    """The equal cells that a scaling by 1 gives, on a curvilinear grid too."""
    plan = plan_coverage(context, replace(query, scaling=ScaleFactor(1.0)))
    return plan.description.domain.rectified


def _file_name(asked: CoverageRequest, name: str, fields: tuple[str, ...], encoder: Form) -> str:
    named = fields if asked.range_subset else ()
    return file_name(name, asked.brackets, named, encoder.extension)
