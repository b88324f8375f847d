"""A folder of this machine as an object store: atomic, locked and, where it counts, fsynced."""

import fcntl
import itertools
import os
import stat
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.buffers import Stored
from datacube.store.claims import LocalClaims, claimed_since
from datacube.store.durable import Disk, sync_file
from datacube.store.growth import GrowingFile
from datacube.store.objects import Claim, Listed

type FileState = tuple[int, int, int, int]
"""Device, number, length and time of the last change (ns) of a file: another of another content."""

_CHANGES = ".changes"
_LENT = 1 << 20
_MOST_LENT = 16 << 20


class LocalObjects:
    """Objects are files; readers see a whole file or none.

    Parameters
    ----------
    folder : Path
        Made at the first write.

    Examples
    --------
    >>> import tempfile
    >>> objects = LocalObjects(Path(tempfile.mkdtemp()))
    >>> objects.put("sst/zarr.json", b"{}")
    >>> objects.get("sst/zarr.json"), objects.get("sst/absent"), objects.list("sst")
    (b'{}', None, ['sst/zarr.json'])
    >>> objects.put_if("sst/zarr.json", b"[]", None)
    False
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = str(folder)
        self._was_there = folder.is_dir()
        self._claims = LocalClaims()
        self._disk = Disk(self._root)
        self._token = uuid.uuid4().hex[:8]
        self._count = itertools.count()
        self._lent = threading.local()
        self._changes = GrowingFile(f"{self._root}/{_CHANGES}")

    @property
    def url(self) -> str:
        """The folder's path."""
        return self._root

    @property
    def is_local(self) -> bool:
        """Always."""
        return True

    def get(self, key: str) -> bytes | None:
        """The whole file; None where there is none."""
        try:
            descriptor = os.open(f"{self._root}/{key}", os.O_RDONLY)
            try:
                return _read_all(descriptor)
            finally:
                os.close(descriptor)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _failure("read", key, error) from error

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Some bytes of a file; None where there is none."""
        try:
            with open(f"{self._root}/{key}", "rb", buffering=0) as file:  # noqa: PTH123 (hot path)
                return os.pread(file.fileno(), length, start)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _failure("read", key, error) from error

    def borrow_part(
        self, key: str, front: bytes, begin: int, end: int, state: FileState
    ) -> Stored | None:
        """Some bytes of a file behind others that stand for what is before them; as :meth:`borrow`.

        Parameters
        ----------
        key : str
        front : bytes
        begin, end : int
            The first byte of the file, and the one after the last.
        state : FileState
            Of the file that is meant; None is given of another one.
        """
        ahead, count = len(front), end - begin
        room = self._room(ahead + count)[: ahead + count]
        try:
            descriptor = os.open(f"{self._root}/{key}", os.O_RDONLY)
            try:
                if file_state(os.fstat(descriptor)) != state:
                    return None
                found = os.preadv(descriptor, [room[ahead:]], begin)
            finally:
                os.close(descriptor)
        except OSError:
            return None
        room[:ahead] = np.frombuffer(front, np.uint8)
        return room if found == count else None

    def borrow(
        self, key: str, size: int, start: int | None = None
    ) -> tuple[Stored, FileState] | None:
        """The whole file, or so many bytes from ``start`` on, in memory that the thread keeps.

        They are good until the thread borrows the next.

        Parameters
        ----------
        key : str
        size : int
            How many bytes there should be.
        start : int, optional

        Returns
        -------
        data, state : the bytes, and what changes when the file does; None where there is none
        """
        room = self._room(size + 1)[: size + (start is None)]
        try:
            descriptor = os.open(f"{self._root}/{key}", os.O_RDONLY)
            try:
                state = file_state(os.fstat(descriptor))
                found = os.preadv(descriptor, [room], start or 0)
            finally:
                os.close(descriptor)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _failure("read", key, error) from error
        if found == size:
            return room[:size], state
        data = self.get(key) if start is None else self.get_range(key, start, size)
        return None if data is None else (data, state)

    def _room(self, size: int) -> NDArray[np.uint8]:
        """Memory of this thread, kept for chunks of usual sizes."""
        room: NDArray[np.uint8] | None = getattr(self._lent, "room", None)
        if room is None or len(room) < size:
            room = np.empty(max(size, _LENT), np.uint8)
            if size <= _MOST_LENT:
                self._lent.room = room
        return room

    def get_tail(self, key: str, length: int) -> bytes | None:
        """The last bytes of a file; None where there is none."""
        try:
            with open(f"{self._root}/{key}", "rb", buffering=0) as file:  # noqa: PTH123 (hot path)
                size = os.fstat(file.fileno()).st_size
                return os.pread(file.fileno(), length, max(0, size - length))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _failure("read", key, error) from error

    def get_tagged(self, key: str) -> tuple[bytes, str] | None:
        """The whole file and the digest of its content."""
        data = self.get(key)
        return None if data is None else (data, sha256(data).hexdigest())

    def put(self, key: str, data: bytes) -> None:
        """Write a file beside and move it to its name."""
        try:
            self._replace(f"{self._root}/{key}", data, durable=False)
        except OSError as error:
            raise _failure("write", key, error) from error

    def put_if(self, key: str, data: bytes, tag: str | None) -> bool:
        """Compare and write under a file lock; the file and its folder are fsynced."""
        path = self._folder / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(path.parent / ".lock"):
                found = self.get_tagged(key)
                if (None if found is None else found[1]) != tag:
                    return False
                self._replace(str(path), data, durable=True)
        except OSError as error:
            raise _failure("write", key, error) from error
        self._note_change()
        return True

    def pulse(self) -> int:
        """Length of a file that every conditional write makes a byte longer; 0 without any."""
        return self._changes.length()

    def _note_change(self) -> None:
        """For readers in other processes; they look now and then in any case."""
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            descriptor = os.open(f"{self._root}/{_CHANGES}", flags, 0o666)
            try:
                os.write(descriptor, b".")
            finally:
                os.close(descriptor)

    def sync(self, keys: Iterable[str]) -> None:
        """Make files durable, and the folders that hold their names."""
        names = {""}
        for key in keys:
            names.add(key)
            above = key.rpartition("/")[0]
            while above not in names:
                names.add(above)
                above = above.rpartition("/")[0]
        try:
            self._disk.sync([f"{self._root}/{name}" for name in sorted(names)])
        except OSError as error:
            raise _failure("make durable", self._root, error) from error

    def claim(self, key: str) -> Claim | None:
        """Claim by a lock, which the kernel frees when the process dies."""
        try:
            return self._claims.take(self._folder / key)
        except OSError as error:
            raise _failure("lock", key, error) from error

    def claimed_since(self, key: str) -> float | None:
        """When the claim's file was written, while its process lives."""
        try:
            return claimed_since(self._folder / key)
        except OSError as error:
            raise _failure("read", key, error) from error

    def list_prefixes(self, prefix: str) -> list[str]:
        """Names of the folders directly below a prefix.

        Raises
        ------
        StorageError
            The store's own folder was there and is gone: a disk that is not mounted any more.
        """
        try:
            names = sorted(
                entry.name
                for entry in os.scandir(self._folder / prefix)
                if entry.is_dir() and not entry.name.startswith(".")
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            if self._was_there and not self._folder.is_dir():
                raise StorageError("the folder of the store is gone") from error
            return []
        except OSError as error:
            raise _failure("list", prefix, error) from error
        self._was_there = True
        return names

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix; unfinished and lock files are none."""
        start = self._folder / prefix
        return sorted(
            path.relative_to(self._folder).as_posix()
            for path in start.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )

    def listing(self, prefix: str) -> Sequence[Listed]:
        """The same with sizes and ages; with unfinished files, whose writer may be dead."""
        found = []
        for path in (self._folder / prefix).rglob("*"):
            if path.name.startswith(".") and path.suffix != ".tmp":
                continue
            with suppress(FileNotFoundError):
                state = path.stat()
                if stat.S_ISREG(state.st_mode):
                    key = path.relative_to(self._folder).as_posix()
                    found.append(Listed(key, state.st_size, state.st_mtime))
        return sorted(found)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files and the folders that become empty."""
        for key in keys:
            path = self._folder / key
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise _failure("delete", key, error) from error
            with suppress(OSError):  # a folder is not empty
                for above in path.parents:
                    if above == self._folder:
                        break
                    above.rmdir()

    def _replace(self, path: str, data: bytes, *, durable: bool) -> None:
        folder, _, name = path.rpartition("/")
        beside = f"{folder}/.{name}.{os.getpid():x}-{self._token}-{next(self._count)}.tmp"
        try:
            descriptor = _made(beside, folder)
            try:
                self._disk.watch()
                _write_all(descriptor, data)
                if durable:
                    os.fsync(descriptor)
                else:
                    self._disk.wrote(len(data))
            finally:
                os.close(descriptor)
            os.replace(beside, path)  # noqa: PTH105 (hot path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(beside)  # noqa: PTH108 (hot path)
            raise
        if durable:
            sync_file(folder)


def file_state(found: os.stat_result) -> FileState:
    """The state of a file."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _made(path: str, folder: str) -> int:
    """A new file; its folder is made, also while others remove it because it is empty."""
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    for _ in range(20):
        try:
            return os.open(path, how, 0o666)
        except FileNotFoundError:
            with suppress(FileNotFoundError):
                _make_folder(folder)
    return os.open(path, how, 0o666)


def _make_folder(path: str) -> None:
    """Make a folder, and those above it that are absent; mostly only the last of them is."""
    try:
        os.mkdir(path)  # noqa: PTH102 (hot path)
    except FileExistsError:
        return
    except FileNotFoundError:
        above = path.rpartition("/")[0]
        if not above:
            raise
        _make_folder(above)
        with suppress(FileExistsError):
            os.mkdir(path)  # noqa: PTH102 (hot path)


def _read_all(descriptor: int) -> bytes:
    """A file in one read, which is half the time of what a file object does."""
    size = os.fstat(descriptor).st_size
    data = os.read(descriptor, size)
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more  # the system reads up to 2 GiB at once
    return data


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _failure(what: str, key: str, error: OSError) -> StorageError:
    return StorageError(f"cannot {what} '{key}': {error.strerror or error}", subject=key)
