"""The document: which times there are, between which ends, over a place, and how much they hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.deleted import deletions
from datacube.engine.shares import shares_of_data
from datacube.errors import InvalidSubset, RequestTooLarge
from datacube.model.axis import TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.calendar import MS_PER_DAY
from datacube.model.crs import CRS84
from datacube.model.time import TimeRange, Timestamp, format_tick
from services.ows.kvp import Kvp, boolean, comma_list, number

LOOKED_AT = 400
"""Times of which one document tells how much they hold."""
LISTED_RUNS = 2000


def times_document(context: Context, cube: Cube, kvp: Kvp) -> dict[str, Any]:
    """Times of a cube as its maps have them.

    Parameters
    ----------
    kvp : Kvp
        ``bbox`` (west, south, east, north) leaves out times without data there, ``from`` and
        ``to`` are the ends, inclusive; ``coverage=true`` tells the share of cells with data, as
        ``bbox`` does; ``time`` asks for the times before and after it; ``deleted=true`` lists
        what was deleted, when and why.

    Raises
    ------
    InvalidTime, InvalidParameter, InvalidSubset
    RequestTooLarge
        Shares of too many times are asked for.
    """
    shown = cube.shown
    axis = shown.description.domain.time
    said: dict[str, Any] = {"cube": cube.id, "title": cube.title, "token": shown.token}
    if axis is None:
        return {**said, "count": 0, "times": []}
    box = kvp.optional("bbox", _box, None)
    places = _between(axis, kvp)
    shares: Sequence[float] | None = None
    if box is not None or kvp.optional("coverage", boolean, False):
        _check_number(places)
        shares = shares_of_data(context, shown, places, box)
        if box is not None:
            kept = [pair for pair in zip(places, shares, strict=True) if pair[1] > 0]
            places, shares = [place for place, _ in kept], [share for _, share in kept]
    dated = not (axis.ticks % MS_PER_DAY).any()
    said |= {
        "first": _text(axis, 0, dated=dated),
        "last": _text(axis, axis.size - 1, dated=dated),
        "default": _text(axis, axis.size - 1, dated=dated),
        "calendar": axis.calendar,
        "count": len(places),
    }
    if "time" in kvp:
        said |= _beside(axis, places, kvp.one("time", Timestamp.parse), dated=dated)
    if shown.view is not None:
        said["runs"] = list(shown.view.axes.runs.iso[-LISTED_RUNS:])
    if shares is not None:
        said["coverage"] = [round(share, 4) for share in shares]
    if kvp.optional("deleted", boolean, False):
        said["deleted"] = [
            {
                "time": format_tick(one.ticks, axis.calendar),
                "deleted": one.deleted,
                "cause": one.cause,
            }
            for one in deletions(shown)
        ]
    said["times"] = [_text(axis, place, dated=dated) for place in places]
    return said


def _between(axis: TimeAxis, kvp: Kvp) -> Sequence[int]:
    """Indexes of the times from one end to the other; a month is all of it."""
    first = kvp.optional("from", Timestamp.parse, None)
    last = kvp.optional("to", Timestamp.parse, None)
    low, high = TimeRange(first, last, None).span(axis.calendar)
    start = 0 if low is None else int(np.searchsorted(axis.ticks, low, "left"))
    stop = axis.size if high is None else int(np.searchsorted(axis.ticks, high, "right"))
    return range(start, max(start, stop))


def _check_number(places: Sequence[int]) -> None:
    if len(places) > LOOKED_AT:
        raise RequestTooLarge(
            f"how much {len(places)} times hold cannot be told at once, only of {LOOKED_AT}: "
            "set from and to",
            subject="from",
        )


def _beside(
    axis: TimeAxis, places: Sequence[int], when: Timestamp, *, dated: bool
) -> dict[str, str | None]:
    """The nearest of the times before and after the instant or the period."""
    low, high = TimeRange(when, when, None).span(axis.calendar)
    ticks = axis.ticks[list(places)]
    before = 0 if low is None else int(np.searchsorted(ticks, low, "left"))
    after = len(ticks) if high is None else int(np.searchsorted(ticks, high, "right"))
    return {
        "previous": _text(axis, places[before - 1], dated=dated) if before else None,
        "next": _text(axis, places[after], dated=dated) if after < len(ticks) else None,
    }


def _text(axis: TimeAxis, place: int, *, dated: bool) -> str:
    """The date alone where every time is a midnight."""
    text = axis.iso[place]
    return text.partition("T")[0] if dated else text


def _box(text: str) -> BoundingBox:
    edges = [number(part) for part in comma_list(text)]
    if len(edges) != 4:
        raise ValueError("four numbers are needed: west, south, east, north")
    west, south, east, north = edges
    if not south < north or west == east:
        raise InvalidSubset(f"the bbox {text[:100]} has no area", subject="bbox")
    return BoundingBox(west, south, east, north, CRS84)
