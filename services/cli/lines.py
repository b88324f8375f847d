"""Lines on a terminal or in a pipe: one for each thing that is said, and nobody need read them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def one_line(text: str) -> str:
    r"""Text on one line of a terminal, whatever the names in it hold.

    Examples
    --------
    >>> one_line("new\nline.nc: café")
    'new\ufffdline.nc: café'
    """
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


@contextmanager
def carried_on() -> Iterator[None]:
    """Where whoever reads what is written has gone, nothing more is written, and no harm done."""
    try:
        yield
    except BrokenPipeError:
        reader_gone()


def reader_gone() -> None:
    """Write to nobody from now on: ``datacube ls | head`` is no error."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nobody, stream.fileno())
