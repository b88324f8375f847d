"""A picture as an answer, the same for every service: planned, compared, drawn once, kept."""

from collections.abc import Callable
from functools import partial

from datacube.engine.context import Context
from datacube.engine.emptiness import shows_nothing
from datacube.engine.map import MapPlan, draw_map, plan_map
from datacube.engine.modified import last_modified
from datacube.model.query import MapQuery
from datacube.render.encode import encode
from services.ows.caching import (
    LASTING,
    cache_control,
    etag,
    matches,
    modified,
    not_modified,
    shown_times,
    unmodified,
    warnings,
)
from services.ows.pictures import plain_picture
from services.ows.transport import Request, Response, TakesLonger


def answer_map(
    context: Context,
    request: Request,
    query: MapQuery,
    media_type: str,
    *,
    pinned: bool | None = None,
) -> Response:
    """The picture of a query, or 304 where the client has it.

    The entity tag names what is drawn: slices, styles and grid. A commit changes the tags of the
    pictures that show what it has written, and of no others.

    The parameter ``V`` with the token of the layers' cube, as the viewer's ``cubes.json`` has it,
    says that the URL means this state of it: the answer may be kept for ever. Not so the picture of
    an expression that reads another cube, whose state the token does not name, nor that of the step
    of now.

    Parameters
    ----------
    media_type : str
    pinned : bool, optional
        Whether later time steps cannot change the answer; as the plan says where not given.

    Raises
    ------
    DatacubeError
        What :func:`~datacube.engine.map.plan_map` and ``draw_map`` raise.
    TakesLonger
        The request is a brief one, and the picture is not.
    """
    plan = plan_map(context, query)
    return answer_plan(
        context,
        request,
        plan,
        media_type,
        lambda: _drawn(context, plan, media_type),
        pinned=pinned,
    )


def _drawn(context: Context, plan: MapPlan, media_type: str) -> bytes:
    """The picture; one that shows nothing is the same for all that do."""
    if not shows_nothing(context, plan):
        return encode(draw_map(context, plan), media_type)
    query = plan.query
    clear = query.transparent
    color = (0, 0, 0) if clear else query.background

    def blank() -> bytes:
        height, width = query.grid.shape
        return encode(plain_picture(width, height, color, transparent=clear), media_type)

    return context.bodies.get(("blank", query.grid.shape, media_type, color, clear), blank)


def answer_plan(
    context: Context,
    request: Request,
    plan: MapPlan,
    media_type: str,
    make: Callable[[], bytes],
    *,
    pinned: bool | None = None,
    form: object = None,
) -> Response:
    """What is made of a plan, or 304 where the client has it; see :func:`answer_map`.

    Parameters
    ----------
    make : callable, the body
    pinned : bool, optional, as of :func:`answer_map`
    form : what decides the body beside plan and media type; a value whose repr is stable
    """
    moving = plan.moving if pinned is None else not pinned or plan.moving_elsewhere
    control = cache_control(moving=moving)
    lasting = not any(one.by_clock for one in plan.layers)
    token = _token(request) if lasting else ""
    if token and all(one.is_all_of(token) for one in plan.layers):
        control = LASTING
    tag = etag([plan.state], media_type, *(() if form is None else (form,)))
    dated = modified(last_modified(context, plan))
    if matches(request, tag) or unmodified(request, dated):
        return not_modified(tag, control, lasting=lasting)
    kept = context.kept
    if request.brief and not (plan.brief and (kept is None or not kept.remote)):
        raise TakesLonger
    body = context.bodies.get(tag, make if kept is None else partial(kept.get, tag, make))
    headers = (("ETag", tag), control, *dated, *warnings(plan.notes), *shown_times(plan.times))
    return Response(200, media_type, body, headers, lasting=lasting)


def _token(request: Request) -> str:
    return next((value for name, value in request.query if name in {"v", "V"}), "")
