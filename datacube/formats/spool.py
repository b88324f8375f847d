"""Files that are made on disk before they are sent: where, and who has them then."""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from shutil import disk_usage, rmtree
from tempfile import TemporaryDirectory, gettempdir

from datacube.formats.pieces import FilePieces, Streamed

_PREFIX = "datacube-coverage-"
_UNLOCKED = 60.0  # seconds that may pass between the making of a folder and its lock
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
    """An empty folder, which is gone afterwards with what is left in it.

    It is locked for as long, so that :func:`sweep` knows it from those of processes that ended.
    """
    with TemporaryDirectory(prefix=_PREFIX, dir=_PLACE.get()) as folder:
        held = _locked(Path(folder))
        try:
            yield Path(folder)
        finally:
            if held is not None:
                os.close(held)


def sweep() -> int:
    """Take away the folders among the temporary files whose processes were killed.

    Returns
    -------
    int
        How many there were.
    """
    gone = 0
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        if _is_old(folder) and (held := _locked(folder)) is not None:
            rmtree(folder, ignore_errors=True)
            os.close(held)
            gone += 1
    return gone


def _is_old(folder: Path) -> bool:
    """Whether it is a folder of this user that a process has had time to lock."""
    try:
        found = folder.lstat()
    except OSError:  # it has just gone
        return False
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return mine and found.st_mtime + _UNLOCKED < time.time()


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the lock of a folder; None where it cannot be had."""
    descriptor = -1
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor >= 0:
            os.close(descriptor)
        return None
    return descriptor


def spooled(made: Path) -> Streamed:
    """The content of a file in that folder, which may be deleted once this has returned.

    Parameters
    ----------
    made : Path, of a whole file that nobody else has
    """
    place, kept = _PLACE.get(), None
    if place is not None:
        kept = place / made.parent.name.replace(_PREFIX, "whole-")
        made = made.rename(kept)
    size = made.stat().st_size
    return Streamed(FilePieces(made, 0, size, kept=kept), size)
