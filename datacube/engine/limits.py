"""What a request may cost; checked on the plan, before a byte is read.

Every refusal says the cost, the limit and a request that would pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import NoReturn

import numpy as np

from datacube.config.settings import Limits
from datacube.errors import RequestTooLarge
from datacube.model.fields import Field
from datacube.model.query import MapQuery

_BRIEF, _BRIEF_CHUNKS = 4096, 4  # values, and chunks that they lie in
_PLACE = 400
"""Bytes of a place: where it is, its cell, and its row while it is written."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a coverage would be.

    Parameters
    ----------
    nbytes : int, of the values, and of their masks where they are held in memory
    shape : (height, width) of the grid
    steps : int, places of the axes other than x and y
    scaled_bytes : int, of all fields of a cell, were the grid scaled
    """

    nbytes: int
    shape: tuple[int, int]
    steps: int
    scaled_bytes: int

    @property
    def cells(self) -> int:
        """Number of cells over all axes."""
        return self.steps * prod(self.shape)


def is_brief(values: int, chunks: int) -> bool:
    """Whether so many stored values, of so many chunks, are read in a moment."""
    return values <= _BRIEF and chunks <= _BRIEF_CHUNKS


def check_map(limits: Limits, query: MapQuery) -> None:
    """Refuse a picture that is too large or has too many layers.

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.
    """
    width, height = query.grid.width, query.grid.height
    if width > limits.max_width or height > limits.max_height:
        raise RequestTooLarge(
            f"a map of {width} x {height} pixels is too large; "
            f"the limit is {limits.max_width} x {limits.max_height}",
            subject="WIDTH" if width > limits.max_width else "HEIGHT",
        )
    if len(query.layers) > limits.max_layers:
        raise RequestTooLarge(
            f"{len(query.layers)} layers are too many; the limit is {limits.max_layers}",
            subject="LAYERS",
        )


def check_work(limits: Limits, cells: int, each: int, subject: str, steps: int = 1) -> None:
    """Refuse an answer for which too many cells would be computed.

    Parameters
    ----------
    cells : int, cells of the answer, of all layers or of every period
    each : int, cells to compute for one of them on average: of each field, step, operation
    subject : str, the parameter that makes the answer smaller
    steps : int, how many steps are among each

    Raises
    ------
    RequestTooLarge
        The message says the number, the limit and what would pass.

    Examples
    --------
    >>> check_work(Limits(max_cells=1000), 100, 11, "WIDTH", 11)
    Traceback (most recent call last):
    datacube.errors.RequestTooLarge: 100 cells x 11 steps, fields and operations are 1,100 \
to compute; the limit is 1,000. Ask for at most 90 cells, or at most 10 of the 11 steps
    """
    if cells * each <= limits.max_cells:
        return
    what = (
        f"{cells:,} cells x {each:,} steps, fields and operations are {cells * each:,} to compute"
    )
    _refuse_cells(limits.max_cells, what, cells, each, subject, steps)


def check_reduction(
    limits: Limits, cells: int, each: int, subject: str, steps: int, effort: int = 1
) -> None:
    """Refuse an answer for which too many stored cells would be reduced.

    Parameters
    ----------
    cells : int, cells of the answer, of all layers or of every period
    each : int, stored cells to reduce for one of them on average: of each field and step
    subject : str, the parameter that makes the answer smaller
    steps : int, how many steps are among each
    effort : int, how many times a cell counts

    Raises
    ------
    RequestTooLarge
        The message says the number, the limit and what would pass.

    Examples
    --------
    >>> check_reduction(Limits(max_reduced_cells=1000), 100, 11, "WIDTH", 11, 8)
    Traceback (most recent call last):
    datacube.errors.RequestTooLarge: 100 cells x 11 steps and fields are 8,800 to reduce, each \
counted 8 times; the limit is 1,000. Ask for at most 11 cells, or at most 1 of the 11 steps
    """
    total = cells * each * effort
    if total <= limits.max_reduced_cells:
        return
    counted = f", each counted {effort} times" * (effort > 1)
    what = f"{cells:,} cells x {each:,} steps and fields are {total:,} to reduce{counted}"
    _refuse_cells(limits.max_reduced_cells, what, cells, each * effort, subject, steps)


def _refuse_cells(
    limit: int, what: str, cells: int, each: int, subject: str, steps: int
) -> NoReturn:
    fewer = limit * steps // (cells * each)
    ways = [
        f"at most {limit // each:,} cells" * (limit >= each),
        f"at most {fewer} of the {steps} steps" * (fewer > 0 and steps > 1),
    ]
    raise RequestTooLarge(
        f"{what}; the limit is {limit:,}. Ask for "
        f"{', or '.join(filter(None, ways)) or 'fewer cells of fewer steps'}",
        subject=subject,
    )


def check_coverage(limits: Limits, size: Size, streaming: Sequence[str] = ()) -> None:
    """Refuse a coverage whose values would not fit in memory.

    Parameters
    ----------
    streaming : media types that this coverage could be had in all the same

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.
    """
    if size.nbytes <= limits.max_coverage_bytes:
        return
    _refuse(size, limits.max_coverage_bytes, _streamed(limits, size, streaming))


def check_spool(
    limits: Limits, size: Size, room: int, free: int, streaming: Sequence[str] = ()
) -> None:
    """Refuse a coverage whose file would not fit on disk.

    Parameters
    ----------
    room : int, how many times the size of the values the file takes while it is made
    free : int, bytes that are free there
    streaming : media types that this coverage could be had in all the same

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.
    """
    limit = min(limits.max_spool_bytes, free // room)
    if size.nbytes > limit:
        _refuse(size, limit, _streamed(limits, size, streaming))


def check_stream(limits: Limits, size: Size) -> None:
    """Refuse a coverage that would take too long to send.

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.
    """
    if size.nbytes > limits.max_stream_bytes:
        _refuse(size, limits.max_stream_bytes)


def check_samples(limits: Limits, places: int, steps: int, fields: Sequence[Field]) -> None:
    """Refuse values at too many places of too many steps to be held; a place takes memory itself.

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.

    Examples
    --------
    >>> check_samples(Limits(max_coverage_bytes=41_000), 100, 10, [Field("v", "int16")])
    Traceback (most recent call last):
    datacube.errors.RequestTooLarge: 100 places at 10 steps would be 43,000 bytes; the limit is \
41,000. Ask for at most 95 places, or at most 3 steps
    """
    each = sum(np.dtype(one.dtype).itemsize + 1 for one in fields)
    nbytes, limit = places * (steps * each + _PLACE), limits.max_coverage_bytes
    if nbytes <= limit:
        return
    most = {
        "places": limit // (steps * each + _PLACE),
        "steps": (limit // places - _PLACE) // each,
    }
    ways = [f"at most {count:,} {what}" for what, count in most.items() if count > 0]
    raise RequestTooLarge(
        f"{places:,} places at {steps:,} steps would be {nbytes:,} bytes; the limit is {limit:,}. "
        f"Ask for {', or '.join(ways) or 'fewer places at fewer steps'}",
        subject="coords",
    )


def check_stacked(limits: Limits, cells: int, steps: int, fields: int) -> None:
    """Refuse a quantile over more cells than can be held.

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.
    """
    each = 8 * fields
    nbytes, limit = cells * steps * each, limits.max_coverage_bytes
    if nbytes > limit:
        raise RequestTooLarge(
            f"a quantile of {cells:,} cells at {steps:,} steps holds {nbytes / 1e6:,.1f} MB; the "
            f"limit is {limit / 1e6:,.1f} MB. Ask for at most {limit // (steps * each):,} cells, "
            f"at most {limit // (cells * each):,} steps, or mean, min or max",
            subject="coords",
        )


def _streamed(limits: Limits, size: Size, streaming: Sequence[str]) -> str:
    within = bool(streaming) and size.nbytes <= limits.max_stream_bytes
    return f"{' or '.join(streaming)}, which are sent while they are read" * within


def _refuse(size: Size, limit: int, streamed: str = "") -> NoReturn:
    """Refuse a size, and name each way to a smaller one that there is."""
    fewer = limit * size.steps // size.nbytes
    height, width = _within(size, limit)
    ways = [
        f"at most {fewer} of the {size.steps} steps" * (0 < fewer < size.steps),
        f"it scaled to at most {width} x {height} of its {size.shape[1]} x {size.shape[0]} cells"
        * (width > 0),
        "a smaller box",
        streamed,
    ]
    raise RequestTooLarge(
        f"the coverage would have {size.cells:,} cells and {size.nbytes / 1e6:,.1f} MB; the limit "
        f"is {limit / 1e6:,.1f} MB. Ask for {', or '.join(filter(None, ways))}",
        subject="subset",
    )


def _within(size: Size, limit: int) -> tuple[int, int]:
    """Height and width of about the same shape that just pass; zeros where none does.

    Examples
    --------
    >>> _within(Size(1_000_000, (1000, 500), 1, 2), 250_000), _within(Size(800, (10, 10), 8, 1), 7)
    ((500, 250), (0, 0))
    """
    most = limit // (size.steps * size.scaled_bytes)
    if most < 1:
        return 0, 0
    factor = min(sqrt(most / prod(size.shape)), 1.0)
    height, width = (max(int(side * factor), 1) for side in size.shape)
    width = min(width, most)
    return min(height, most // width), width
