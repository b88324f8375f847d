"""Claims in a folder of this machine: any number of them, freed when their process dies.

A claim is a small file that names the guard of its process: a file beside it that the process
keeps locked. The kernel drops the lock when the process ends, however it ends, and a claim whose
guard is not locked is free. So a process holds one open file for all of its claims.
"""

import errno
import fcntl
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT}


class LocalClaims:
    """The claims of this process; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guards: dict[Path, tuple[Path, int, int]] = {}

    def take(self, path: Path) -> "FileClaim | None":
        """Make the claim; None while a living process (this one too) has it.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        try:
            return self._take(path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            return self._take(path)

    def _take(self, path: Path) -> "FileClaim | None":
        folder = path.parent
        with _locked(f"{folder.parent}/.lock"):
            held = _held(path)
            if held:
                return None
            guard = self._enter(folder)
            try:
                _write(str(path), guard.name.encode())
            except BaseException as error:
                self.leave(folder)
                if not isinstance(error, OSError) or error.errno not in _FULL:
                    raise
                own = _lock_itself(path)
                return FileClaim(self, path, left=held is not None, own=own)
        return FileClaim(self, path, left=held is not None)

    def _enter(self, folder: Path) -> Path:
        """One claim more in a folder: its guard, locked."""
        with self._lock:
            guard, descriptor, count = self._guards.get(folder) or (*_new_guard(folder), 0)
            self._guards[folder] = guard, descriptor, count + 1
            return guard

    def leave(self, folder: Path) -> None:
        """One claim less in a folder; the last one takes the guard with it."""
        with self._lock:
            guard, descriptor, count = self._guards[folder]
            if count > 1:
                self._guards[folder] = guard, descriptor, count - 1
                return
            del self._guards[folder]
            with suppress(OSError):
                guard.unlink(missing_ok=True)
            os.close(descriptor)


class FileClaim:
    """A claim that names its guard.

    Attributes
    ----------
    left : bool
        Whether the file of an earlier one was there.
    """

    def __init__(
        self, claims: LocalClaims, path: Path, *, left: bool, own: int | None = None
    ) -> None:
        self.left = left
        self._own = own
        self._claims = claims
        self._path = path
        self._released = False

    def renew(self) -> None:
        """A lock does not run out."""

    def strand(self) -> None:
        """Keep the file and the lock while the process lives."""
        self._released = True

    def abandon(self) -> None:
        """Keep the file, which is free without the lock."""
        if not self._released:
            self._released = True
            self._leave()

    def release(self) -> None:
        """Delete the file."""
        if not self._released:
            self._released = True
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._leave()

    def _leave(self) -> None:
        if self._own is None:
            self._claims.leave(self._path.parent)
        else:
            os.close(self._own)


def _new_guard(folder: Path) -> tuple[Path, int]:
    guard = folder / f".guard-{uuid.uuid4().hex}"
    descriptor = os.open(guard, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return guard, descriptor


def _lock_itself(path: Path) -> int:
    """Make an empty claim that is its own guard: on a full disk there is room for its name alone.

    So what frees space, which takes a claim too, can be done there.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _held(path: Path) -> bool | None:
    """Whether a living process has the claim; a dead one's guard is removed. None: nobody had."""
    try:
        name = _read(str(path))
    except FileNotFoundError:
        return None
    guard = path.with_name(name) if name else path
    try:
        descriptor = os.open(guard, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        guard.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)


def claimed_since(path: Path) -> float | None:
    """When a claim was made that a living process has, in seconds since 1970; else None.

    Writes nothing, so that it may be asked where nothing can be written.

    Parameters
    ----------
    path : Path
        The claim's file.
    """
    try:
        with _locked(f"{path.parent.parent}/.lock", os.O_RDONLY):
            guard = path.with_name(_read(str(path)) or path.name)
            descriptor = os.open(guard, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return path.stat().st_mtime
            finally:
                os.close(descriptor)
    except FileNotFoundError:
        pass
    return None


@contextmanager
def _locked(path: str, mode: int = os.O_WRONLY | os.O_CREAT) -> Iterator[None]:
    descriptor = os.open(path, mode | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# a slice takes a claim: file objects and paths would take several times as long


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 256).decode()
    finally:
        os.close(descriptor)
