"""The times of a film: which steps a list of times and ranges goes through."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from datacube.model.axis import TimeAxis
from datacube.model.query import TimeChoice
from datacube.model.time import TimeRange, Timestamp
from datacube.slicing.select_axis import times_within


def frame_times(axis: TimeAxis, choices: Sequence[TimeChoice], most: int) -> Iterator[Timestamp]:
    """Steps of ranges, months and days, and instants as they are; the whole axis without any.

    Of a range with a period the step that is last at each beat.

    Parameters
    ----------
    most : int
        More are not looked for: one more than that says that there are.

    Examples
    --------
    >>> import numpy as np
    >>> axis = TimeAxis("time", np.arange(3) * 86_400_000)
    >>> [one.day for one in frame_times(axis, [], 10)]
    [1, 2, 3]
    """
    for choice in choices or (TimeChoice(TimeRange(None, None)),):
        match choice.when:
            case TimeRange() as when:
                yield from _of_range(axis, when, most)
            case Timestamp() as when:
                inside = times_within(axis, *when.span(axis.calendar))
                yield from _at(axis, inside[: most + 1]) if len(inside) > 1 else (when,)
            case _:
                yield Timestamp.parse(axis.iso[-1])


def _at(axis: TimeAxis, places: range) -> Iterator[Timestamp]:
    return (Timestamp.parse(axis.iso[place]) for place in places)


def _of_range(axis: TimeAxis, when: TimeRange, most: int) -> Iterator[Timestamp]:
    inside = times_within(axis, *when.span(axis.calendar))
    if when.period is None or not inside:
        yield from _at(axis, inside[: most + 1])
        return
    first = int(axis.ticks[inside.start]) if when.start is None else when.span(axis.calendar)[0]
    ticks = (when.period.add_to(int(first or 0), axis.calendar, count) for count in range(most + 2))
    last = int(axis.ticks[inside.stop - 1])
    for tick in takewhile(lambda one: one <= last, ticks):
        place = times_within(axis, None, tick).stop - 1
        if place in inside:
            yield Timestamp.parse(axis.iso[place])
