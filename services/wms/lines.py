"""GetTimeseries, GetVerticalProfile, GetTransect, GetVerticalSection and GetHovmoller.

The form of the requests is ncWMS': the first two are those of GetFeatureInfo, the others have a
``LINESTRING`` (``lon lat, lon lat``, or x, y of the ``CRS``) in place of a map and a pixel. Each is
one query along a line; they differ in which axes stay whole. Those of many times take ``AGG`` with
``PERIOD`` (or ``WINDOW``): a value for each month, say, in place of one for each step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from datacube.engine.binned import by_period
from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.errors import InvalidParameter, InvalidTime
from datacube.model.axis import TimeAxis
from datacube.model.crs import CRS84, Crs
from datacube.model.geometry import Path
from datacube.model.query import Aggregate, LineQuery, Slice, Subset, TimeChoice, Trim
from datacube.model.time import TimeRange
from services.ows.aggregate import decode_aggregate
from services.ows.caching import cache_control, etag, matches, not_modified, warnings
from services.ows.dimensions import RUN, chosen_times, layer_places, one_default, run_and_lead
from services.ows.kvp import Kvp, comma_list, number
from services.ows.places import sampled_line
from services.ows.transport import Request, Response
from services.wms.decode import decode_pixel
from services.wms.linefiles import Drawn, write_line
from services.wms.version import Version

_MOST_VERTICES = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the requests.

    Parameters
    ----------
    along : bool, whether it is along a line, or at the pixel of a map
    times, levels : bool, whether every time, every level is shown
    """

    along: bool
    times: bool
    levels: bool


KINDS: Mapping[str, Kind] = {
    "GetTimeseries": Kind(along=False, times=True, levels=False),
    "GetVerticalProfile": Kind(along=False, times=False, levels=True),
    "GetTransect": Kind(along=True, times=False, levels=False),
    "GetVerticalSection": Kind(along=True, times=False, levels=True),
    "GetHovmoller": Kind(along=True, times=True, levels=False),
}


def line_request(kind: Kind) -> Callable[[Context, Request, Kvp, Version], Response]:
    """The handler of one of :data:`KINDS`."""

    def handle(context: Context, request: Request, kvp: Kvp, version: Version) -> Response:
        return _answer(context, request, kvp, version, kind)

    return handle


def _answer(context: Context, request: Request, kvp: Kvp, version: Version, kind: Kind) -> Response:
    cube, fields = _asked(context, kvp)
    path = _line(kvp) if kind.along else decode_pixel(context, kvp, version)
    subsets, moving = line_subsets(kvp, cube, kind)
    query = LineQuery(cube.id, path, subsets, fields)
    aggregate = line_aggregate(kvp) if kind.times else None
    drawn = Drawn.of(kvp, profile=kind.levels and not kind.along, plain=not kind.along)
    tag = etag([cube.snapshot, cube.fingerprint], query, aggregate, drawn)
    control = cache_control(moving=moving)
    if matches(request, tag):
        return not_modified(tag, control)
    sampled = sampled_line(context, request, query)
    if aggregate is not None:
        sampled = by_period(context.settings.limits, cube, sampled, aggregate)
    body = write_line(sampled, drawn)
    return Response(200, drawn.media_type, body, (("ETag", tag), control, *warnings(sampled.notes)))


def line_aggregate(kvp: Kvp) -> Aggregate | None:
    """``AGG`` with ``PERIOD`` or ``WINDOW``: the steps of a series that become one."""
    aggregate = decode_aggregate(kvp.but("over"))
    if aggregate is not None and len(aggregate.methods) > 1:
        raise InvalidParameter("give one AGG: a series is made by one", subject="AGG")
    return aggregate


def _asked(context: Context, kvp: Kvp) -> tuple[Cube, tuple[str, ...]]:
    """The cube of the layers, and their fields."""
    name = next((one for one in ("QUERY_LAYERS", "LAYERS", "LAYER") if one in kvp), "QUERY_LAYERS")
    layers: list[Layer] = [context.catalog.layer(one) for one in kvp.one(name, comma_list)]
    if len({layer.cube for layer in layers}) > 1:
        raise InvalidParameter("ask for the layers of one cube at a time", subject=name)
    fields = dict.fromkeys(field for layer in layers for field in layer.fields)
    return layers[0].cube, tuple(fields)


def _line(kvp: Kvp) -> Path:
    """``LINESTRING=8 50,9 51`` (also ``LINESTRING(…)``), x before y."""
    crs = next((kvp.one(one, Crs.parse) for one in ("CRS", "SRS") if one in kvp), CRS84)
    return Path(kvp.one("LINESTRING", _vertices), crs, joined=True)


def _vertices(text: str) -> tuple[tuple[float, float], ...]:
    inner = text.strip().upper().removeprefix("LINESTRING").strip().strip("()")
    found = []
    for part in inner.split(","):
        x, y = (number(one) for one in part.split())
        found.append((x, y))
    if not 2 <= len(found) <= _MOST_VERTICES:
        raise ValueError(f"a line has 2 to {_MOST_VERTICES} vertices, written x y,x y")
    return tuple(found)


def line_subsets(kvp: Kvp, cube: Cube, kind: Kind) -> tuple[tuple[Subset, ...], bool]:
    """Where on each axis, and whether newer data would change the answer.

    Raises
    ------
    InvalidTime
        A run or a lead time of a forecast is asked for, of which there are pictures alone.
    InvalidParameter
        There is no time, or there are no levels.
    """
    domain, layer = cube.description.domain, cube.layers[0]
    if run_and_lead(kvp, layer) != (None, None):
        raise InvalidTime(
            "values along an axis or a line are of the newest run that has each time; leave the "
            f"run and the step out, or ask for the coverage {cube.id.removesuffix('__best')}",
            subject=RUN,
        )
    if kind.times and domain.time is None:
        raise InvalidParameter("the layer has no time", subject="TIME")
    if kind.levels and domain.vertical is None:
        raise InvalidParameter("the layer has no levels", subject="ELEVATION")
    given = {domain.axis(one.axis): one for one in layer_places(kvp, layer)}
    subsets: list[Subset] = []
    moving = False
    for axis in domain.axes:
        if isinstance(axis, TimeAxis):
            time = _time(chosen_times(kvp, layer, 1), axis, whole=kind.times)
            moving = not isinstance(time, Slice) or time.point == "latest"
            subsets.append(time)
        elif not (kind.levels and axis is domain.vertical and axis not in given):
            subsets.append(given.get(axis) or Slice(axis.name, one_default(cube, axis)))
    return tuple(subsets), moving


def _time(choices: tuple[TimeChoice, ...], axis: TimeAxis, *, whole: bool) -> Subset:
    when = choices[0].when if choices else None
    match when:
        case TimeRange(start=start, end=end) if whole:
            return Trim(axis.name, start, end)
        case TimeRange():
            raise InvalidTime("give one instant as TIME", subject="TIME")
        case None:
            return Trim(axis.name, None, None) if whole else Slice(axis.name, "latest")
        case _:
            return (
                Trim(axis.name, when, when)
                if whole and when != "latest"
                else Slice(axis.name, when)
            )
