"""What a request may cost; checked on the plan, before a byte is read."""

from collections.abc import Sequence
from math import floor, sqrt
from typing import NoReturn

from datacube.config.settings import Limits
from datacube.errors import RequestTooLarge
from datacube.model.query import MapQuery


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


def check_work(limits: Limits, cells: int, each: int, subject: str) -> None:
    """Refuse an answer for which too many cells would be computed.

    Parameters
    ----------
    cells : int, cells of the answer, of all layers or of every period
    each : int, cells to compute for one of them on average: of each field, step, operation
    subject : str, the parameter that makes the answer smaller

    Raises
    ------
    RequestTooLarge
        The message says the number, the limit and what would pass.

    Examples
    --------
    >>> check_work(Limits(max_cells=1000), 100, 11, "WIDTH")
    Traceback (most recent call last):
    datacube.errors.RequestTooLarge: 100 cells x 11 steps, fields and operations are 1,100 \
to compute; the limit is 1,000. Ask for at most 90 cells, fewer steps or a shorter expression
    """
    if cells * each <= limits.max_cells:
        return
    raise RequestTooLarge(
        f"{cells:,} cells x {each:,} steps, fields and operations are {cells * each:,} to compute; "
        f"the limit is {limits.max_cells:,}. Ask for at most {limits.max_cells // each:,} cells, "
        "fewer steps or a shorter expression",
        subject=subject,
    )


def check_coverage(
    limits: Limits, nbytes: int, cells: int, steps: int, streaming: Sequence[str] = ()
) -> None:
    """Refuse a coverage whose values would not fit in memory.

    Parameters
    ----------
    nbytes : int, size of the values
    cells : int, number of cells over all axes
    steps : int, number of places of the axes other than x and y
    streaming : media types that this coverage could be had in all the same

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.
    """
    if nbytes <= limits.max_coverage_bytes:
        return
    streamed = f", or {' or '.join(streaming)}, which are sent while they are read"
    within = nbytes <= limits.max_stream_bytes
    _refuse(nbytes, limits.max_coverage_bytes, cells, steps, streamed * bool(streaming and within))


def check_stream(limits: Limits, nbytes: int, cells: int, steps: int) -> None:
    """Refuse a coverage that would take too long to send.

    Parameters
    ----------
    nbytes : int, size of the values
    cells : int, number of cells over all axes
    steps : int, number of places of the axes other than x and y

    Raises
    ------
    RequestTooLarge
        The message says the size, the limit and what would pass.
    """
    if nbytes > limits.max_stream_bytes:
        _refuse(nbytes, limits.max_stream_bytes, cells, steps)


def _refuse(nbytes: int, limit: int, cells: int, steps: int, otherwise: str = "") -> NoReturn:
    share = nbytes / limit
    fewer = f"at most {max(int(steps / share), 1)} of the {steps} steps, or " if steps > 1 else ""
    raise RequestTooLarge(
        f"the coverage would have {cells:,} cells and {nbytes / 1e6:,.0f} MB; the limit is "
        f"{limit / 1e6:,.0f} MB. Ask for {fewer}"
        f"a scale factor of at most {_factor(share):.3f}, or a smaller box{otherwise}",
        subject="subset",
    )


def _factor(share: float) -> float:
    """The scale factor of both axes that would just pass, not rounded up."""
    return floor(1000 / sqrt(share)) / 1000
