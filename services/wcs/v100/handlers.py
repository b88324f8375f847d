"""The operations of WCS 1.0.0."""

from datacube.engine.context import Context
from datacube.errors import DatacubeError
from services.ows import caching
from services.ows.kvp import Kvp
from services.ows.reports import wcs100_report
from services.ows.sequence import refuse_current
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix
from services.wcs.answer import send
from services.wcs.extras import all_times
from services.wcs.filenames import file_name
from services.wcs.forms import find_form
from services.wcs.places import is_flat
from services.wcs.published import published, published_cube
from services.wcs.subsets import Bracket, Value
from services.wcs.v100 import capabilities, decode, describe
from services.wcs.v100.names import VERSION

_XML = "text/xml"


def answer_capabilities(context: Context, request: Request, kvp: Kvp) -> Response:
    """GetCapabilities.

    Raises
    ------
    CurrentUpdateSequence, InvalidUpdateSequence
        The client's document is the current one, or newer than it.
    """
    sequence, section = context.catalog.sequence, decode.section(kvp)
    refuse_current(kvp, sequence)
    url = kvp_prefix(request, "/wcs")

    def make() -> bytes:
        cubes = published(context)
        return capabilities.capabilities(context.settings, cubes, url, section, sequence)

    tag = caching.etag([sequence], "wcs", VERSION, url, section)
    return caching.kept_document(context, request, _XML, tag, make)


def answer_description(context: Context, request: Request, kvp: Kvp) -> Response:
    """DescribeCoverage."""
    names = decode.coverage_names(kvp)
    cubes = [published_cube(context, name) for name in names] if names else published(context)
    described = (cube.description for cube in cubes)
    body = describe.coverage_description(described, full=all_times(kvp))
    response = Response(200, _XML, body, (caching.DOCUMENT,))
    return caching.conditional(request, response, caching.etag([], body))


def answer_coverage(context: Context, request: Request, kvp: Kvp) -> Response:
    """GetCoverage."""
    asked = decode.get_coverage(kvp)
    encoder = find_form(asked.format)
    cube = published_cube(context, asked.coverage)
    query, notes = decode.bind_query(asked, kvp, cube.description, flat=is_flat(encoder))
    times = (Bracket("time", (Value(asked.time),)),) if asked.time else ()
    name = file_name(query.coverage, times, query.fields, encoder.extension)
    return send(context, request, asked.extras.order(query, encoder, name, notes))


def report(error: DatacubeError, strict: bool) -> Response:
    """ServiceExceptionReport; with 4xx and 5xx statuses where strict."""
    return wcs100_report(error, strict=strict)
