"""The name of a file by its content, reckoned on a thread of its own while the file is read."""

import hashlib
import threading
import weakref
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datacube.errors import SourceError

_BLOCK = 1 << 20


class _Reckoning:
    """A digest under way; it is given up when nobody holds this any more.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: Future[str] = Future()
        stop = threading.Event()
        weakref.finalize(self, stop.set)
        work = (path, self._found, stop)
        threading.Thread(target=_reckon, args=work, name="digest", daemon=True).start()

    @property
    def done(self) -> bool:
        """Whether it is known."""
        return self._found.done()

    def wait(self) -> str:
        """The digest in hexadecimal digits.

        Raises
        ------
        SourceError
            The file cannot be read.
        """
        try:
            return self._found.result()
        except OSError as error:
            words = error.strerror or str(error)
            raise SourceError(f"cannot be read: {words}", subject=str(self._path)) from error


@dataclass(frozen=True, eq=False, slots=True)
class Identity:
    """A name that begins with the digest of a file.

    Parameters
    ----------
    reckoning : digest under way
    after : str
        What follows the digest.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     name = content_id(Path(file.name)).followed("@1")
    ...     name.text[:14], name.text[-2:], name.known
    ('sha256:e3b0c44', '@1', True)
    """

    reckoning: _Reckoning
    after: str = ""

    @property
    def known(self) -> bool:
        """Whether asking for the text does not wait."""
        return self.reckoning.done

    @property
    def text(self) -> str:
        """``sha256:…``; waits until the whole file was read.

        Raises
        ------
        SourceError
            It cannot be.
        """
        return f"sha256:{self.reckoning.wait()}{self.after}"

    def followed(self, words: str) -> "Identity":
        """The same with something behind it."""
        return Identity(self.reckoning, self.after + words)


def content_id(path: Path) -> Identity:
    """Name of a file by its content, ``sha256:…``, whatever it is called; at once under way."""
    return Identity(_Reckoning(path))


def _reckon(path: Path, found: "Future[str]", stop: threading.Event) -> None:
    try:
        found.set_result(_digest(path, stop))
    except BaseException as error:  # noqa: BLE001  for whoever waits
        found.set_exception(error)


def _digest(path: Path, stop: threading.Event) -> str:
    digest, room = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        raw: Any = file
        while not stop.is_set() and (size := raw.readinto(room)):
            digest.update(room[:size])
    return digest.hexdigest()
