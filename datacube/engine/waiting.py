"""Whether anybody still waits for what is being made.

Whoever asks may go away before the answer is there. Long work looks for that where it goes on to
the next chunks, and is given up: it is no failure, and there is nobody to tell.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event

_GONE: ContextVar[Event | None] = ContextVar("gone", default=None)


class Abandoned(BaseException):
    """Nobody waits for the answer any more; not to be caught as an error is."""


@contextmanager
def as_long_as_wanted(gone: Event) -> Iterator[None]:
    """What is done within is given up once an event is set, also in threads that it begins.

    Examples
    --------
    >>> gone = Event()
    >>> with as_long_as_wanted(gone):
    ...     check_wanted()
    ...     gone.set()
    ...     check_wanted()
    Traceback (most recent call last):
    datacube.engine.waiting.Abandoned
    """
    before = _GONE.set(gone)
    try:
        yield
    finally:
        _GONE.reset(before)


def check_wanted() -> None:
    """Go on, or not.

    Raises
    ------
    Abandoned
        Nobody waits for it.
    """
    gone = _GONE.get()
    if gone is not None and gone.is_set():
        raise Abandoned
