"""From a query to the answer of GetCoverage; the same for every version of the protocol."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.coverage import coverage_state, plan_coverage
from datacube.formats.pieces import Piece
from services.ows import caching
from services.ows.coveragefile import CoverageFile, begun, content_length, coverage_file
from services.ows.transport import Request, Response, TakesLonger
from services.wcs.dryrun import tell
from services.wcs.forms import Picture
from services.wcs.multipart import Part, related
from services.wcs.order import Order

type Describe = Callable[[CoverageFile], bytes]


def send(
    context: Context,
    request: Request,
    order: Order,
    describe: Describe | None = None,
    description_type: str = "text/xml",
) -> Response:
    """The file, alone or behind a document that speaks of it.

    Parameters
    ----------
    describe : callable, optional
        Makes the document, the first part of a message of two.
    description_type : str, its media type

    Raises
    ------
    DatacubeError
        The query cannot be meant, costs too much, does not fit the format, or cannot be read.
    TakesLonger
        The request was to be brief.
    """
    if order.dry:
        return tell(context, order)
    state = coverage_state(context, order.query)
    plan = plan_coverage(context, order.query)
    order.encoder.check(plan.description)
    options = sorted(order.options.items())
    form = order.encoder.media_type, _look(context, order)
    parts = (order.query, form, options, describe is not None)
    tag = caching.weak(caching.etag(state, *parts))
    if caching.matches(request, tag):
        return caching.not_modified(tag, caching.MOVING)
    file = _file(context, request, order)
    notes = caching.warnings((*order.notes, *file.notes))
    headers = (("ETag", tag), caching.MOVING, *notes)
    if describe is None:
        return _alone(order, file).with_headers(*headers)
    return _behind(order, file, describe(file), description_type).with_headers(*headers)


def send_several(
    context: Context, request: Request, orders: Sequence[Order], document: bytes
) -> Response:
    """Files behind a document that speaks of them, each made when those before it are sent.

    Raises
    ------
    DatacubeError, TakesLonger
        As :func:`send`.
    """
    for order in orders:
        order.encoder.check(plan_coverage(context, order.query).description)
    queries = tuple(order.query for order in orders)
    state = [one for query in queries for one in coverage_state(context, query)]
    tag = caching.weak(caching.etag(state, queries, orders[0].encoder.media_type))
    if caching.matches(request, tag):
        return caching.not_modified(tag, caching.MOVING)
    parts = (
        Part(_made(context, request, order), order.encoder.media_type, order.name)
        for order in orders
    )
    if request.brief:
        raise TakesLonger
    if request.weighed:
        raise _of_all(context, request, orders)
    first = next(parts)
    whole = replace(first, content=begun(first.pieces()))
    message = related(document, "text/xml", whole, *parts)
    notes = caching.warnings(orders[0].notes)
    headers = (("ETag", tag), caching.MOVING, *notes)
    return Response(200, message.media_type, message.pieces, headers)


def _of_all(context: Context, request: Request, orders: Sequence[Order]) -> TakesLonger:
    """What all files take."""
    values = nbytes = 0
    for order in orders:
        try:
            _file(context, request, order)
        except TakesLonger as one:
            values, nbytes = values + one.values, nbytes + one.nbytes
    return TakesLonger(values, nbytes)


def _look(context: Context, order: Order) -> str:
    """What decides a file beside its values: of a picture how they are drawn."""
    match order.encoder:
        case Picture():
            return order.encoder.state(context, order.query, order.style)
        case _:
            return ""


def _made(context: Context, request: Request, order: Order) -> Iterator[Piece]:
    file = _file(context, request, order)
    if isinstance(file.content, bytes):
        yield file.content
    else:
        yield from file.content


def _file(context: Context, request: Request, order: Order) -> CoverageFile:
    match order.encoder:
        case Picture() if request.brief or request.weighed:
            raise TakesLonger(plan_coverage(context, order.query).count)
        case Picture():
            return order.encoder.draw(context, order.query, order.style)
        case encoder:
            return coverage_file(context, request, order.query, encoder, order.told)


def _alone(order: Order, file: CoverageFile) -> Response:
    disposition = ("Content-Disposition", f'attachment; filename="{order.name}"')
    return Response(200, order.encoder.media_type, file.content, (disposition, *file.headers))


def _behind(order: Order, file: CoverageFile, document: bytes, media_type: str) -> Response:
    part = Part(file.content, order.encoder.media_type, order.name, file.length)
    message = related(document, media_type, part)
    return Response(200, message.media_type, message.pieces, content_length(message.length))
