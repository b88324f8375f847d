"""The operations of WCS 1.1."""

from collections.abc import Sequence
from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.model.query import CoverageQuery, Slice
from services.ows import caching
from services.ows.coveragefile import CoverageFile
from services.ows.kvp import Kvp
from services.ows.sequence import is_current
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix, with_query
from services.ows.xml import serialise
from services.wcs.answer import send, send_several
from services.wcs.extras import all_times
from services.wcs.filenames import file_name
from services.wcs.forms import Form, find_form
from services.wcs.order import Order
from services.wcs.places import is_flat
from services.wcs.published import published, published_cube
from services.wcs.subsets import Bracket, Value
from services.wcs.v110 import capabilities, decode, describe
from services.wcs.v110.names import Names
from services.wcs.version import Handler

_XML = "text/xml"
_ROLE = "urn:ogc:def:role:WCS:1.1:coverage"


def operations(names: Names) -> dict[str, Handler]:
    """The operations of one of the versions, by their names in lower case."""

    def answer_capabilities(context: Context, request: Request, kvp: Kvp) -> Response:
        return _capabilities(names, context, request, kvp)

    def answer_description(context: Context, request: Request, kvp: Kvp) -> Response:
        cubes = [published_cube(context, name) for name in decode.coverage_ids(kvp)]
        body = describe.coverage_descriptions(names, cubes, full=all_times(kvp))
        response = Response(200, _XML, body, (caching.DOCUMENT,))
        return caching.conditional(request, response, caching.etag([], body))

    def answer_coverage(context: Context, request: Request, kvp: Kvp) -> Response:
        return _coverage(names, context, request, kvp)

    return {
        "GetCapabilities": answer_capabilities,
        "DescribeCoverage": answer_description,
        "GetCoverage": answer_coverage,
    }


def _capabilities(names: Names, context: Context, request: Request, kvp: Kvp) -> Response:
    wanted, sequence = decode.sections(kvp), context.catalog.sequence
    known = is_current(kvp, sequence)
    url = kvp_prefix(request, "/wcs")

    def make() -> bytes:
        some = frozenset[str]() if known else wanted
        cubes = published(context)
        return capabilities.capabilities(names, context.settings, cubes, url, some, sequence)

    tag = caching.etag([sequence], "wcs", names.number, url, sorted(wanted), known)
    return caching.kept_document(context, request, _XML, tag, make)


def _coverage(names: Names, context: Context, request: Request, kvp: Kvp) -> Response:
    asked = decode.get_coverage(kvp)
    encoder = find_form(asked.format)
    cube = published_cube(context, asked.coverage)
    query, notes = decode.bind_query(asked, cube.description, flat=is_flat(encoder))
    order = asked.extras.order(query, encoder, _file_name(asked.time, query, encoder), notes)
    flat = _flat_orders(context, order) if is_flat(encoder) else ()
    if len(flat) > 1 and not (asked.store or asked.plain or order.dry):
        body = _reference(names, flat, [f"cid:{one.name}" for one in flat])
        return send_several(context, request, flat, body)
    if asked.store:
        encoder.check(plan_coverage(context, query).description)
        body = _reference(names, [order], [_plain_url(request, kvp)])
        return Response(200, _XML, body, (caching.MOVING,))
    if asked.plain or order.dry:
        return send(context, request, order)

    def speak(_: CoverageFile) -> bytes:
        return _reference(names, [order], [f"cid:{order.name}"])

    return send(context, request, order, speak)


def _flat_orders(context: Context, order: Order) -> tuple[Order, ...]:
    """One order for each time of a file that holds x and y alone; none where there is one time."""
    time = plan_coverage(context, order.query).description.domain.time
    most = context.settings.limits.max_steps
    if time is None or not 1 < time.size <= most or order.query.aggregate is not None:
        return ()
    others = tuple(one for one in order.query.subsets if one.axis != time.name)
    found = []
    for tick, text in zip(time.ticks.tolist(), time.iso, strict=True):
        query = replace(order.query, subsets=(*others, Slice(time.name, tick)))
        found.append(replace(order, query=query, name=_file_name(text, query, order.encoder)))
    return tuple(found)


def _reference(names: Names, orders: Sequence[Order], places: Sequence[str]) -> bytes:
    """``Coverages``: what the files of a coverage are and where they lie."""
    references = (
        names.ows(
            "Reference",
            names.ows("Format", order.encoder.media_type),
            xlink_href=place,
            xlink_role=_ROLE,
        )
        for order, place in zip(orders, places, strict=True)
    )
    coverage = names.wcs(
        "Coverage",
        names.ows("Title", orders[0].query.coverage),
        names.ows("Identifier", orders[0].query.coverage),
        *references,
    )
    return serialise(names.wcs("Coverages", coverage, xsi_schemaLocation=names.located))


def _plain_url(request: Request, kvp: Kvp) -> str:
    """URL of the same request for the file alone; nothing has to be kept for it."""
    pairs = kvp.put({"store": "", "plain": "true"}).pairs
    given = [(name, value) for name, value in pairs if value.strip()]
    return with_query(kvp_prefix(request, "/wcs"), given)


def _file_name(time: str, query: CoverageQuery, encoder: Form) -> str:
    times = (Bracket("time", (Value(time),)),) if time else ()
    return file_name(query.coverage, times, query.fields, encoder.extension)
