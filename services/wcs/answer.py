"""From a query to the answer of GetCoverage; the same for every version of the protocol."""

from collections.abc import Callable

from datacube.engine.context import Context
from datacube.engine.coverage import coverage_state, plan_coverage
from services.ows import caching
from services.ows.coveragefile import CoverageFile, content_length, coverage_file
from services.ows.transport import Request, Response
from services.wcs.dryrun import tell
from services.wcs.forms import Picture
from services.wcs.multipart import related
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
    """
    if order.dry:
        return tell(context, order)
    state = coverage_state(context, order.query)
    plan = plan_coverage(context, order.query)
    order.encoder.check(plan.description)
    options = sorted(order.options.items())
    form = order.encoder.media_type, order.style
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


def _file(context: Context, request: Request, order: Order) -> CoverageFile:
    match order.encoder:
        case Picture():
            return order.encoder.draw(context, order.query, order.style)
        case encoder:
            history = f"GetCoverage {order.name.rpartition('.')[0]}"
            wanted = {"history": history, **order.options}
            return coverage_file(context, order.query, encoder, wanted, head=request.head)


def _alone(order: Order, file: CoverageFile) -> Response:
    disposition = ("Content-Disposition", f'attachment; filename="{order.name}"')
    return Response(200, order.encoder.media_type, file.content, (disposition, *file.headers))


def _behind(order: Order, file: CoverageFile, document: bytes, media_type: str) -> Response:
    message = related(
        document, media_type, file.content, order.encoder.media_type, order.name, file.length
    )
    return Response(200, message.media_type, message.pieces, content_length(message.length))
