"""``/times/{cube}.json``: from a request to the document."""

import json

from datacube.engine.context import Context
from datacube.errors import DatacubeError, NotFoundError
from services.ows.caching import etag, kept_document
from services.ows.kvp import Kvp
from services.ows.reports import problem_json
from services.ows.transport import Request, Response
from services.times.document import times_document

_ENDING = ".json"


def handle(context: Context, request: Request, tail: str) -> Response:
    """Answer a request; errors are problem details.

    Parameters
    ----------
    tail : str
        Percent-decoded path below ``/times/``.
    """
    try:
        if not tail.endswith(_ENDING):
            raise NotFoundError(
                f"nothing is served at '/times/{tail[:100]}'; times are at /times/CUBE.json",
                subject="path",
            )
        cube = context.catalog.cube(tail.removesuffix(_ENDING))
        kvp = Kvp.of(request)

        def make() -> bytes:
            document = times_document(context, cube, kvp)
            return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

        tag = etag([cube.shown.token], "times", cube.id, cube.title, request.query)
        return kept_document(context, request, "application/json", tag, make)
    except DatacubeError as error:
        return problem_json(error)
