"""Which places of the other axes a map's layer means: time, elevation and further dimensions.

The rules are those of WMS 1.3.0 annex C with nearest values: an instant means the step it names,
else the latest step within it (a day, a month), else the nearest within a tolerance, else nothing;
a range means its steps, the most recent first. With an aggregate an instant may stand for the
period that holds it, or for the window of steps that ends with it; and a range of another axis
means its places, the last first.

Of a forecast the time is the valid time. It is seen through a view: by default that of the newest
run for each valid time, else of the run that is asked for, found by the rules of an instant, or of
one lead time.
"""

import time as clock
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from datacube.config.settings import TimePolicy
from datacube.engine.cube import Cube
from datacube.engine.deleted import deleted
from datacube.engine.forecast import ForecastView
from datacube.errors import InvalidParameter, InvalidTime
from datacube.model.axis import Axis, IndexAxis, IrregularAxis, RegularAxis, TimeAxis, axis_value
from datacube.model.query import LayerRequest, Point, Slice, Subset, TimeChoice, Trim
from datacube.model.time import Period, TimeRange, Timestamp, format_tick
from datacube.slicing.periods import bin_at, parse_every
from datacube.slicing.rolling import parse_window, window_at
from datacube.slicing.select_axis import (
    nearest_place,
    select_places,
    times_named,
    times_within,
)

_RUN = "reference_time"

type PlainAxis = RegularAxis | IrregularAxis | IndexAxis


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look, best first, and what to tell the client.

    Parameters
    ----------
    candidates : tuple of places
        Each an index on every axis in array order; several for a time range (most recent first),
        none where nothing matches.
    notes : tuple of str, texts of Warning headers
    moving : bool
        True where the answer changes with new data (default, latest or an open range).
    """

    candidates: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...] = ()
    moving: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    indexes: tuple[int, ...]
    note: str = ""
    moving: bool = False


def find_places(cube: Cube, request: LayerRequest) -> tuple[Cube, Places]:
    """The cube that a request looks into, of a forecast the view that it means, and where in it.

    Raises
    ------
    InvalidTime
        The run is a range or is not there, or whatever :func:`locate` raises.
    """
    view = cube.view
    if view is None:
        return cube, locate(cube, request)
    if request.run is None and request.lead is None:
        return cube, _newest(view, locate(cube, request))
    run = None if request.run is None else _choose_run(cube, view, request.run)
    lead = None if request.lead is None else _choose_place(view.axes.leads, request.lead)
    chosen = [choice for choice in (run, lead) if choice is not None]
    notes = tuple(choice.note for choice in chosen if choice.note)
    if not all(choice.indexes for choice in chosen):
        return cube, Places((), notes, moving=True)
    seen = view.narrowed(*(None if one is None else one.indexes[0] for one in (run, lead)))
    if seen.empty:
        return cube, Places((), (*notes, "No data of this run and step"), moving=True)
    places = locate(cube.narrowed(seen), request)
    moving = places.moving or any(choice.moving for choice in chosen)
    return cube.narrowed(seen), Places(places.candidates, (*notes, *places.notes), moving)


def _newest(view: ForecastView, places: Places) -> Places:
    """Places in the best view: of which run, and that a newer one may come."""
    notes = places.notes
    if len({place[0] for place in places.candidates}) == 1:
        run = view.origin(places.candidates[0][0])["reference_time"]
        notes = (*notes, f"Default value used: reference_time={run} ISO8601")
    return replace(places, notes=notes, moving=True)


def _choose_run(cube: Cube, view: ForecastView, choice: TimeChoice) -> _Choice:
    if isinstance(choice.when, TimeRange):
        raise InvalidTime("give one instant as reference_time: one run is shown", subject=_RUN)
    found = _choose_time(cube, view.axes.runs, choice)
    return replace(found, note=found.note.replace("time=", "reference_time="))


def locate(cube: Cube, request: LayerRequest) -> Places:
    """Resolve a layer's time and further dimensions.

    Raises
    ------
    AxisNotFound
        A dimension that the cube does not have.
    InvalidTime
        A time or value that is none.
    InvalidSubset, SubsetOutOfDomain, InvalidParameter
        A range, period or window that takes nothing or has no aggregate.
    """
    _check_request(cube, request)
    wanted = {_axis_name(cube, one): one for one in request.places}
    choices = [
        _widened(axis, _choose_time(cube, axis, request.time), request)
        if isinstance(axis, TimeAxis)
        else _choose_places(cube, axis, wanted.get(axis.name))
        for axis in cube.description.domain.axes
    ]
    notes = tuple(choice.note for choice in choices if choice.note)
    moving = any(choice.moving for choice in choices)
    return Places(tuple(_product(choices)), notes, moving)


def _check_request(cube: Cube, request: LayerRequest) -> None:
    """Refuse what only an aggregate gives a meaning to, or levels that may be drawn as one."""
    if not request.aggregate:
        domain = cube.description.domain
        ranges = [
            one.axis
            for one in request.places
            if isinstance(one, Trim)
            and not (cube.settings.levels.several and domain.axis(one.axis) is domain.vertical)
        ]
        if ranges:
            raise InvalidTime(
                f"a range of {ranges[0]} has several values: add AGG=mean, max, … to make them one",
                subject=ranges[0],
            )
        parts = {"PERIOD": request.every, "WINDOW": request.window, "BY": request.by}
        alone = [name for name, text in parts.items() if text]
        if alone:
            raise InvalidParameter(
                f"{alone[0]} says which steps AGG makes one: add AGG=mean, max, …",
                subject=alone[0],
            )
    if request.every and request.window:
        raise InvalidParameter("PERIOD or WINDOW, not both", subject="WINDOW")


def _widened(axis: TimeAxis, choice: _Choice, request: LayerRequest) -> _Choice:
    """The period that holds the instant that was chosen, or the window that ends with it."""
    if not (request.every or request.window) or not choice.indexes:
        return choice
    if request.time is not None and isinstance(request.time.when, TimeRange):
        name = "PERIOD" if request.every else "WINDOW"
        raise InvalidParameter(
            f"with {name} the time is one instant; a range has its begin and end already",
            subject=name,
        )
    index = choice.indexes[0]
    found = (
        bin_at(axis, index, parse_every(request.every, subject="PERIOD"))
        if request.every
        else window_at(axis, index, parse_window(request.window, subject="WINDOW"))
    )
    if found is None:
        note = f"No data at time={axis_value(axis, index)} ISO8601: the window is not whole"
        return _Choice((), note, choice.moving)
    moving = choice.moving or found.stop == axis.size
    return _Choice(tuple(reversed(range(found.start, found.stop))), choice.note, moving)


def _product(choices: list[_Choice]) -> Iterator[tuple[int, ...]]:
    """Every combination, time the slowest to change."""
    places: list[tuple[int, ...]] = [()]
    for choice in choices:
        places = [(*place, index) for place in places for index in choice.indexes]
    yield from places


def _axis_name(cube: Cube, place: Subset) -> str:
    axis = cube.description.domain.axis(place.axis)
    if isinstance(axis, str):
        raise InvalidTime(f"'{place.axis}' is no dimension of {cube.id}", subject=place.axis)
    return axis.name


def _choose_time(cube: Cube, axis: TimeAxis, choice: TimeChoice | None) -> _Choice:
    if choice is None:
        index = default_step(cube, axis)
        note = f"Default value used: time={axis_value(axis, index)} ISO8601"
        return _Choice((index,), note, moving=True)
    match choice.when:
        case "latest":
            return _Choice((axis.size - 1,), moving=True)
        case TimeRange():
            return _choose_range(axis, choice.when)
        case Timestamp():
            return _choose_instant(cube, axis, choice.when)
        case _:
            assert_never(choice.when)


def _choose_instant(cube: Cube, axis: TimeAxis, when: Timestamp) -> _Choice:
    last = axis.size - 1
    if named := times_named(axis, when):
        return _Choice(tuple(reversed(named)), moving=named[-1] == last)
    asked = format_tick(when.ticks(axis.calendar), axis.calendar)
    gone = deleted(cube, axis, when)
    if not cube.settings.time.nearest:
        why = f", {gone}" if gone else ""
        raise InvalidTime(f"{cube.id} has no time {asked}{why}", subject="time")
    index = None if gone else _beside(axis, when, cube.settings.time)
    if index is None:
        why = f", {gone}" if gone else ""
        return _Choice((), f"No data at time={asked} ISO8601{why}", moving=True)
    note = f"Nearest value used: time={axis_value(axis, index)} ISO8601"
    return _Choice((index,), note, moving=index == last)


def _beside(axis: TimeAxis, when: Timestamp, policy: TimePolicy) -> int | None:
    """The step that an instant between steps means, None where it is too far."""
    if policy.nearest is True:
        return nearest_place(axis, when, policy.tolerance_ms)
    tick = when.ticks(axis.calendar)
    after = int(np.searchsorted(axis.ticks, tick))
    index = after if policy.nearest == "next" else after - 1
    if not 0 <= index < axis.size:
        return None
    most = axis.median_step if policy.tolerance_ms is None else policy.tolerance_ms
    return index if abs(int(axis.ticks[index]) - tick) <= most else None


def default_step(cube: Cube, axis: TimeAxis) -> int:
    """Index of the step that is shown without a time, by the cube's policy."""
    default, last = cube.settings.time.default, axis.size - 1
    if default == "now":
        tick = int(clock.time() * 1000)
    elif default.startswith("run") and cube.view is not None:
        tick = int(cube.view.axes.runs.ticks[-1])
        if "+" in default:
            added = Period.parse(default.partition("+")[2], subject="default")
            tick = added.add_to(tick, axis.calendar, 1)
    else:
        return last
    return min(max(int(np.searchsorted(axis.ticks, tick, side="right")) - 1, 0), last)


def default_place(cube: Cube, axis: Axis) -> float | str | tuple[float, float]:
    """Place of an axis other than time that is shown without one; of levels perhaps a range."""
    default = cube.settings.levels.default
    if axis is not cube.description.domain.vertical or default is None:
        return axis_value(axis, 0)
    if isinstance(default, tuple):
        return default
    return axis_value(axis, nearest_place(axis, default) or 0)


def _choose_range(axis: TimeAxis, when: TimeRange) -> _Choice:
    first, last = when.span(axis.calendar)
    inside = times_within(axis, first, last)
    if not inside:
        return _Choice((), "No data at time in the range asked", moving=True)
    return _Choice(tuple(reversed(inside)), moving=inside[-1] == axis.size - 1)


def _choose_places(cube: Cube, axis: PlainAxis, subset: Subset | None) -> _Choice:
    match subset:
        case None:
            return _default_places(cube, axis)
        case Slice(_, point):
            found = _choose_place(axis, point)
            vertical = axis is cube.description.domain.vertical
            if found.note and vertical and not cube.settings.levels.nearest:
                raise InvalidTime(f"there is no {axis.name} {point}", subject=axis.name)
            return found
        case Trim():
            span = select_places(axis, subset)
            return _Choice(tuple(reversed(range(span.start, span.stop))))
        case _:
            assert_never(subset)


def _default_places(cube: Cube, axis: PlainAxis) -> _Choice:
    """The place that is shown without one, or the range of levels, by the cube's policy."""
    if axis.size == 1:
        return _Choice((0,))
    match default_place(cube, axis):
        case (low, high):
            indexes = _choose_places(cube, axis, Trim(axis.name, low, high)).indexes
            shown = f"{low:g}/{high:g}"
        case place:
            indexes, shown = _choose_place(axis, place).indexes, str(place)
    return _Choice(indexes, f"Default value used: {axis.name}={shown} {axis.uom}")


def _choose_place(axis: PlainAxis, point: Point) -> _Choice:
    index = nearest_place(axis, _numeric(axis, point))
    if index is None:
        return _Choice((), f"No data at {axis.name}={point}")
    value = axis_value(axis, index)
    if isinstance(point, float) and float(value) != point:
        return _Choice((index,), f"Nearest value used: {axis.name}={value} {axis.uom}")
    return _Choice((index,))


def _numeric(axis: PlainAxis, point: Point) -> Point:
    if isinstance(axis, IndexAxis) or not isinstance(point, str):
        return point
    try:
        return float(point)
    except ValueError:
        raise InvalidTime(
            f"'{point}' is no value of {axis.name}; it is a number in {axis.uom or 'its unit'}",
            subject=axis.name,
        ) from None
