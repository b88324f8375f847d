"""Values at a place as an answer, the same for every service: compared first, then read."""

from datacube.engine.context import Context
from datacube.engine.sample import get_samples, samples_state
from datacube.model.query import SampleQuery
from services.ows.caching import cache_control, etag, matches, not_modified, warnings
from services.ows.featureinfo import encode_samples
from services.ows.transport import Request, Response


def answer_samples(
    context: Context, request: Request, query: SampleQuery, media_type: str, *, pinned: bool
) -> Response:
    """The values as a document, or 304 where the client has it.

    The entity tag names what is read: a commit changes those of the answers that show what it has
    written.

    Parameters
    ----------
    pinned : bool
        Whether later time steps cannot change the answer.

    Raises
    ------
    DatacubeError
        What :func:`~datacube.engine.sample.get_samples` raises.
    """
    control = cache_control(moving=not pinned)
    tag = etag(samples_state(context, query), query, media_type)
    if matches(request, tag):
        return not_modified(tag, control)
    found = get_samples(context, query)
    body = encode_samples(found.samples, media_type)
    return Response(200, media_type, body, (("ETag", tag), control, *warnings(found.notes)))
