"""Files that survive a power cut: made so one by one, or a whole file system at once.

Every fsync of a new file commits the journal of the file system. Where thousands of files are new
one ``syncfs`` does the same in a fraction of the time, and does most of it while others are still
being written. It is used where it is known to wait for data and journal and to say that something
could not be written (Linux 5.8; ext and XFS). It does not say what: then every file is asked.
"""

import ctypes
import os
import platform
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_MANY = 64
_MUCH = 64 << 20
_REPORTS = (5, 8)
_WAITING = ("ext2", "ext3", "ext4", "xfs")


class Disk:
    """Where the files of a folder lie; safe to use from many threads.

    Parameters
    ----------
    folder : str

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> disk = Disk(folder)
    >>> disk.wrote(100)
    >>> disk.sync([folder])
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._descriptor: int | None = None
        self._whole = False
        self._device = 0
        self._since = 0

    def watch(self) -> None:
        """Begin to notice what cannot be written; before the first file that is to be synced.

        Raises
        ------
        OSError
            There is no such folder.
        """
        if self._descriptor is not None:
            return
        with self._lock:
            if self._descriptor is None:
                descriptor = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
                weakref.finalize(self, os.close, descriptor)
                self._device = os.fstat(descriptor).st_dev
                self._whole = _reports() and _kind(self._device) in _WAITING
                self._descriptor = descriptor

    def wrote(self, size: int) -> None:
        """Note that so many bytes were written; once they are many, they go to the disk."""
        with self._lock:
            self._since += size
            if self._since < _MUCH or not self._whole or self._syncing.locked():
                return
            self._since = 0
        threading.Thread(target=self._sync_whole, name="sync").start()

    def sync(self, paths: Sequence[str]) -> None:
        """Return when files and folders survive a power cut.

        Raises
        ------
        OSError
            Some cannot be written.
        """
        left = paths
        if len(paths) >= _MANY and self._whole:
            elsewhere = self._elsewhere(paths)
            if self._sync_whole():
                left = elsewhere
        if left:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(sync_file, left))

    def _sync_whole(self) -> bool:
        """Sync the file system; never again once that has failed, as it says so only once."""
        with self._syncing:
            if self._whole and ctypes.CDLL(None).syncfs(self._descriptor):
                self._whole = False
            return self._whole

    def _elsewhere(self, paths: Sequence[str]) -> list[str]:
        """Those that lie on another file system, to which a link or a mount may lead."""
        folders = {one: os.path.dirname(one) for one in paths}  # noqa: PTH120  many, quickly
        other = {
            one
            for one in set(folders.values())
            if os.stat(one).st_dev != self._device  # noqa: PTH116
        }
        return [one for one in paths if one in other or folders[one] in other]


def sync_file(path: str) -> None:
    """Fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: str) -> None:
    """Flush the file system that holds a path; on systems without that call, every one.

    Raises
    ------
    OSError
        Something could not be written.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        os.sync()
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if call(descriptor) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    finally:
        os.close(descriptor)


def _reports() -> bool:
    """Whether syncfs says that something could not be written."""
    if platform.system() != "Linux" or not hasattr(ctypes.CDLL(None), "syncfs"):
        return False
    numbers = platform.release().split("-")[0].split(".")[:2]
    return all(one.isdecimal() for one in numbers) and tuple(map(int, numbers)) >= _REPORTS


def _kind(device: int) -> str:
    """Type of the mounted file system of a device; empty where it is not known."""
    name = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        known, _, rest = line.partition(" - ")
        if known.split()[2:3] == [name]:
            return rest.split()[0]
    return ""
