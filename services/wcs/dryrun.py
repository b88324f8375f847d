"""``DRYRUN=true``: what a coverage would be and cost, before anything is read."""

import json
from typing import Any

from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.engine.coverage_plan import CoveragePlan
from datacube.engine.coverage_stream import is_large
from datacube.engine.explain import explain_coverage
from datacube.model.axis import Axis, axis_value
from datacube.model.grid import RectifiedGrid
from services.ows.caching import NO_STORE, warnings
from services.ows.coveragefile import coverage_file, made_fields
from services.ows.transport import Request, Response
from services.wcs.forms import Picture
from services.wcs.order import Order


def tell(context: Context, order: Order) -> Response:
    """A JSON document: axes with their ends, fields, bytes of the values, chunks to be read.

    Where the size of the file follows from that, ``length`` is the later ``Content-Length``.

    Raises
    ------
    DatacubeError
        What the request itself would be refused with.
    """
    plan = plan_coverage(context, order.query)
    order.encoder.check(plan.description)
    made = made_fields(plan.description, order.options)
    fields = made or plan.description.range_type.fields
    cost = explain_coverage(context, order.query)
    document: dict[str, Any] = {
        "coverage": plan.description.id,
        "file": order.name,
        "format": order.encoder.media_type,
        "axes": {name: _axis(axis) for name, axis in _axes(plan).items()},
        "fields": {one.name: one.dtype for one in fields},
        "values": plan.count,
        "bytes": plan.stream_size(made).nbytes,
        "length": _length(context, order, plan),
        "chunks": cost.reads.chunks,
        "memory": cost.memory_bytes,
        "notes": [*order.notes, *plan.notes],
    }
    body = json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    notes = warnings((*order.notes, *plan.notes))
    return Response(200, "application/json", body, (NO_STORE, *notes))


def _length(context: Context, order: Order, plan: CoveragePlan) -> int | None:
    """Size of a file that is written forward; None where its values decide it."""
    if isinstance(order.encoder, Picture):
        return None
    forward = order.encoder.stream is not None and not {*order.options} - {"values"}
    made = made_fields(plan.description, order.options)
    large = is_large(context.settings.limits, plan, made)
    if not forward or not (order.encoder.same or large):
        return None
    head = Request("GET", "/wcs", head=True)
    return coverage_file(context, head, order.query, order.encoder, order.told).length


def _axes(plan: CoveragePlan) -> dict[str, Axis | tuple[int, float, float]]:
    domain = plan.description.domain
    found: dict[str, Axis | tuple[int, float, float]] = {axis.name: axis for axis in domain.axes}
    grid, (x_label, y_label) = domain.grid, domain.grid.crs.labels
    box = grid.bbox.unwrapped()
    found[y_label] = grid.height, box.bottom, box.top
    found[x_label] = grid.width, box.left, box.right
    if isinstance(grid, RectifiedGrid):
        y, x = grid.y_centres(), grid.x_centres()
        found[y_label] = grid.height, float(y[0]), float(y[-1])
        found[x_label] = grid.width, float(x[0]), float(x[-1])
    return found


def _axis(axis: Axis | tuple[int, float, float]) -> dict[str, object]:
    if isinstance(axis, tuple):
        size, first, last = axis
        return {"size": size, "first": first, "last": last}
    return {"size": axis.size, "first": axis_value(axis, 0), "last": axis_value(axis, -1)}
