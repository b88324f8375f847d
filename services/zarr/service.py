"""``/zarr/{cube}`` and ``/zarr/{cube}@{version}``: the committed state as a plain Zarr v3 group.

A cube that lies in a Zarr group of others is that group, v2 or v3, its objects as they are.

A program that opens ``/zarr/{cube}@{version}`` reads one version to its end, whatever is committed
meanwhile; ``/zarr/{cube}`` is the newest one at every request.
"""

from datacube.engine.context import Context
from datacube.engine.zarr import zarr_object
from datacube.errors import DatacubeError, OperationNotSupported
from services.ows.caching import MOVING, conditional, etag
from services.ows.ranges import some_bytes
from services.ows.reports import problem_json
from services.ows.transport import Request, Response

IMMUTABLE = ("Cache-Control", "public, max-age=31536000, immutable")


def handle(context: Context, request: Request, tail: str) -> Response:
    """Answer with one object.

    Parameters
    ----------
    context : Context
    request : Request
    tail : str
        Path below ``/zarr/``.
    """
    name, _, path = tail.partition("/")
    try:
        if not path:
            raise OperationNotSupported(
                f"'{request.path[:200]}' is a Zarr group: open it with a Zarr reader, "
                "which asks for zarr.json below it",
                subject=name[:100],
            )
        found = zarr_object(context, name, path)
    except DatacubeError as error:
        return problem_json(error)
    control = IMMUTABLE if found.pinned else MOVING
    if found.data is None:
        return Response(404, "text/plain", b"", (control,))
    media_type = "application/json" if _is_document(path) else "application/octet-stream"
    tag = etag([found.state], path)
    answer = conditional(request, Response(200, media_type, found.data, (control,)), tag)
    return some_bytes(request, answer, tag) if answer.status == 200 else answer


def _is_document(path: str) -> bool:
    """Whether an object is JSON."""
    name = path.rpartition("/")[2]
    return name.endswith(".json") or name.startswith(".z")
