"""GetMap over time: one frame for each step of a TIME list or range.

``ANIMATION=true`` with a GIF, PNG (which becomes APNG) or WebP, or a format that only moves (APNG,
MP4). ``FPS`` (2), ``CAPTION`` (true: the time; or a text with ``{time}``), ``LEGEND`` (true),
``HOLD`` (seconds that the last frame stays longer) and ``FADE`` (seconds in which a frame passes
into the next) are parameters of this server. A frame shows exactly what GetMap shows at its time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from datacube.engine.context import Context
from datacube.engine.frames import frame_times
from datacube.engine.legend import shown_style
from datacube.engine.map import MapPlan, draw_map, plan_map
from datacube.errors import InvalidParameter, InvalidTime, RequestTooLarge
from datacube.model.block import Image
from datacube.model.query import LayerRequest, TimeChoice
from datacube.render.animation import animate
from datacube.render.caption import captioned
from datacube.render.fade import crossfaded, steps_of
from datacube.render.legend import Look, legend
from datacube.render.video import MP4, film
from services.ows.caching import cache_control, etag, matches, not_modified
from services.ows.dimensions import chosen_times
from services.ows.kvp import Kvp, boolean, number
from services.ows.transport import Request, Response
from services.wms.decode import MapRequest, decode_map
from services.wms.formats import animated, moving, wms_format
from services.wms.version import Version

MOST_PIXELS = 48_000_000  # of all frames
_SLOWEST, _FASTEST = 0.05, 50.0


@dataclass(frozen=True, slots=True)
class Play:
    """How frames follow each other, and what is written on them.

    Parameters
    ----------
    fps : float
    hold : float, seconds that the last frame stays longer
    fade : float, seconds in which a frame passes into the next, at the end of its time
    caption : str, with ``{time}``; empty is none
    legend : bool
    """

    fps: float
    hold: float
    fade: float
    caption: str
    legend: bool


def wants_animation(kvp: Kvp) -> bool:
    """Whether a GetMap asks for moving pictures."""
    if "animation" in kvp and kvp.one("ANIMATION", boolean):
        return True
    return "format" in kvp and moving(kvp.one("FORMAT", wms_format))


def get_animation(context: Context, request: Request, kvp: Kvp, version: Version) -> Response:
    """The pictures of each time, one after the other.

    Raises
    ------
    InvalidTime
        No step is in the time asked.
    RequestTooLarge
        There are more frames, or more pixels in all, than are drawn.
    """
    still = kvp.but("time")
    asked = decode_map(context, still, version)
    kind = animated(wms_format(kvp.one("FORMAT")))
    play = _play(kvp)
    times = _frames(context, kvp, asked, 1 + steps_of(round(1000 * play.fade)))
    plans = [_plan(context, asked, time) for time in times]
    tag = etag([plan.state for plan in plans], kind, play)
    control = cache_control(moving=any(plan.moving for plan in plans))
    if matches(request, tag):
        return not_modified(tag, control, lasting=True)
    body = context.bodies.get(tag, lambda: _made(context, asked, plans, times, kind, play))
    return Response(200, kind, body, (("ETag", tag), control), lasting=True)


def _play(kvp: Kvp) -> Play:
    fps, hold = kvp.optional("FPS", number, 2.0), kvp.optional("HOLD", number, 0.0)
    if not (_SLOWEST <= fps <= _FASTEST and 0 <= hold <= 60):
        raise InvalidParameter(
            f"FPS is {_SLOWEST} to {_FASTEST:g} frames a second, HOLD up to 60 seconds",
            subject="FPS",
        )
    fade = kvp.optional("FADE", number, 0.0)
    if not 0 <= fade <= 1 / fps:
        raise InvalidParameter(
            f"FADE is 0 to {1 / fps:g} seconds, as long as a frame is shown", subject="FADE"
        )
    caption = kvp.optional("CAPTION", str.strip, "")
    if caption.lower() in {"true", "false"}:
        caption = "{time}" if caption.lower() == "true" else ""
    return Play(fps, hold, fade, caption[:200], kvp.optional("LEGEND", boolean, False))


def _plan(context: Context, asked: MapRequest, time: TimeChoice | None) -> MapPlan:
    layers = tuple(replace(one, time=time) for one in asked.query.layers)
    return plan_map(context, replace(asked.query, layers=layers))


def _made(
    context: Context,
    asked: MapRequest,
    plans: Sequence[MapPlan],
    times: Sequence[TimeChoice | None],
    kind: str,
    play: Play,
) -> bytes:
    each = round(1000 / play.fps)
    durations = [each] * len(plans)
    durations[-1] += round(1000 * play.hold)
    images = list(_drawn(context, asked.query.layers[-1], plans, times, play))
    if play.fade:
        passing = crossfaded(images, durations, round(1000 * play.fade))
        images, durations = map(list, zip(*passing, strict=True))
    return film(images, durations) if kind == MP4 else animate(images, durations, kind)


def _drawn(
    context: Context,
    top: LayerRequest,
    plans: Sequence[MapPlan],
    times: Sequence[TimeChoice | None],
    play: Play,
) -> Iterator[Image]:
    for plan, time in zip(plans, times, strict=True):
        image = draw_map(context, plan)
        key = None
        if play.legend:
            look = Look(zoom=min(max(image.shape[0] / 500, 0.6), 2.0))
            key = legend(*shown_style(context, replace(top, time=time)), look)
        words = play.caption.replace("{time}", (plan.times or ("",))[-1])
        yield captioned(image, words, key) if words or key is not None else image


def _frames(
    context: Context, kvp: Kvp, asked: MapRequest, pictures: int
) -> tuple[TimeChoice | None, ...]:
    """The times of the frames: of the first layer that has any, else one frame without a time.

    ``pictures`` is how many there are for each.
    """
    layers = (context.catalog.layer(one.layer) for one in asked.query.layers)
    timed = next((one for one in layers if one.cube.description.domain.time is not None), None)
    axis = None if timed is None else timed.cube.description.domain.time
    if timed is None or axis is None:
        return (None,)
    most = context.settings.limits.max_steps
    steps = dict.fromkeys(frame_times(axis, chosen_times(kvp, timed, most), most))
    if not steps:
        raise InvalidTime("there is no step in the time asked", subject="TIME")
    height, width = asked.query.grid.shape
    fits = MOST_PIXELS // (height * width * pictures)
    if len(steps) > min(most, fits):
        raise RequestTooLarge(
            f"more than {min(most, fits)} frames of {width} x {height} pixels; give a shorter TIME"
            ", one with a period (start/end/P1M), or a smaller map",
            subject="TIME",
        )
    return tuple(map(TimeChoice, steps))
