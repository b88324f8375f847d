"""Files that are made on disk before they are sent: where, and who has them then."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory, gettempdir

from datacube.formats.pieces import FilePieces, Streamed

_PLACE: ContextVar[Path | None] = ContextVar("place", default=None)


@contextmanager
def spooled_in(place: Path) -> Iterator[None]:
    """What is spooled within lies in a folder, and stays there when it is whole.

    Whoever asks for it takes the file as it is in place of its bytes.

    Parameters
    ----------
    place : Path, of a folder that is there
    """
    before = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(before)


def free_for_spool() -> int:
    """Bytes that are free where files are spooled."""
    return disk_usage(_PLACE.get() or gettempdir()).free


@contextmanager
def spool_folder() -> Iterator[Path]:
    """An empty folder, which is gone afterwards with what is left in it."""
    with TemporaryDirectory(prefix="coverage-", dir=_PLACE.get()) as folder:
        yield Path(folder)


def spooled(made: Path) -> Streamed:
    """The content of a file in that folder, which may be deleted once this has returned.

    Parameters
    ----------
    made : Path, of a whole file that nobody else has
    """
    place, kept = _PLACE.get(), None
    if place is not None:
        kept = place / made.parent.name.replace("coverage-", "whole-")
        made = made.rename(kept)
    size = made.stat().st_size
    return Streamed(FilePieces(made, 0, size, kept=kept), size)
