"""How far long work has come, for whoever wants to know."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

type Tell = Callable[[int], None]

_TOLD: ContextVar[Tell | None] = ContextVar("told", default=None)


@contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """Let a callable know of the values that are read within, in the same thread.

    Examples
    --------
    >>> numbers = []
    >>> with telling(numbers.append):
    ...     have_read(3)
    >>> have_read(4)
    >>> numbers
    [3]
    """
    before = _TOLD.set(tell)
    try:
        yield
    finally:
        _TOLD.reset(before)


def have_read(values: int) -> None:
    """Tell that so many more values have been read."""
    tell = _TOLD.get()
    if tell is not None:
        tell(values)
