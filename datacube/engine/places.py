"""Which places of the other axes a map's layer means: time, elevation and further dimensions.

The rules are those of WMS 1.3.0 annex C with nearest values: an instant means the step it names,
else the latest step within it (a day, a month), else the nearest within a tolerance, else nothing;
a range means its steps, the most recent first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from datacube.engine.cube import Cube
from datacube.errors import InvalidTime
from datacube.model.axis import IndexAxis, IrregularAxis, RegularAxis, TimeAxis, axis_value
from datacube.model.query import LayerRequest, Point, Slice, TimeChoice
from datacube.model.time import TimeRange, Timestamp, format_tick
from datacube.slicing.select_axis import nearest_place, times_named, times_within

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


def locate(cube: Cube, request: LayerRequest) -> Places:
    """Resolve a layer's time and further dimensions.

    Raises
    ------
    AxisNotFound
        A dimension that the cube does not have.
    InvalidTime
        A time or value that is none.
    """
    wanted = {_axis_name(cube, one): one.point for one in request.places}
    choices = [
        _choose_time(cube, axis, request.time)
        if isinstance(axis, TimeAxis)
        else _choose_place(axis, wanted.get(axis.name))
        for axis in cube.description.domain.axes
    ]
    notes = tuple(choice.note for choice in choices if choice.note)
    moving = any(choice.moving for choice in choices)
    return Places(tuple(_product(choices)), notes, moving)


def _product(choices: list[_Choice]) -> Iterator[tuple[int, ...]]:
    """Every combination; only a time has more than one index."""
    places: list[tuple[int, ...]] = [()]
    for choice in choices:
        places = [(*place, index) for place in places for index in choice.indexes]
    yield from places


def _axis_name(cube: Cube, place: Slice) -> str:
    axis = cube.description.domain.axis(place.axis)
    if isinstance(axis, str):
        raise InvalidTime(f"'{place.axis}' is no dimension of {cube.id}", subject=place.axis)
    return axis.name


def _choose_time(cube: Cube, axis: TimeAxis, choice: TimeChoice | None) -> _Choice:
    if choice is None:
        note = f"Default value used: time={axis_value(axis, -1)} ISO8601"
        return _Choice((axis.size - 1,), note, moving=True)
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
    if not cube.settings.time.nearest:
        raise InvalidTime(f"{cube.id} has no time {asked}", subject="time")
    index = nearest_place(axis, when, cube.settings.time.tolerance_ms)
    if index is None:
        return _Choice((), f"No data at time={asked} ISO8601", moving=True)
    note = f"Nearest value used: time={axis_value(axis, index)} ISO8601"
    return _Choice((index,), note, moving=index == last)


def _choose_range(axis: TimeAxis, when: TimeRange) -> _Choice:
    first, last = when.span(axis.calendar)
    inside = times_within(axis, first, last)
    if not inside:
        return _Choice((), "No data at time in the range asked", moving=True)
    return _Choice(tuple(reversed(inside)), moving=inside[-1] == axis.size - 1)


def _choose_place(axis: PlainAxis, point: Point | None) -> _Choice:
    if point is None:
        if axis.size == 1:
            return _Choice((0,))
        return _Choice((0,), f"Default value used: {axis.name}={axis_value(axis, 0)} {axis.uom}")
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
