"""The parent's end of the GRIB decoder (:mod:`datacube.ingest.grib_worker`)."""

import fcntl
import json
import os
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from datacube.errors import SourceError
from datacube.ingest.grib_worker import arranged
from datacube.ingest.readers.gribsimple import simple_packing
from datacube.store.buffers import Buffers
from datacube.store.heap import KEEPING

_LARGE = 64 << 20
_MOST = 4
_PIPE = 1 << 20


class GribDecoder:
    """The fields of one GRIB file; a context manager.

    A child process says what there is, and decodes what is not packed simply; for a large file
    others help it as soon as there is work for them.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._further = 0
        if path.stat().st_size >= _LARGE:
            self._further = min(os.cpu_count() or 1, _MOST) - 1
        self._idle: SimpleQueue[GribChild] = SimpleQueue()
        self._buffers = Buffers()
        with ExitStack() as opened:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            opened.callback(os.close, self._descriptor)
            self._first = GribChild(path)
            opened.callback(self._first.close)
            self._first.ask({"index": True})
            self._opened = opened.pop_all()

    @cached_property
    def index(self) -> dict[str, Any]:
        """``messages``, ``grids`` and ``damage``, as a child says them, which takes a while.

        Raises
        ------
        SourceError
            The file cannot be read, or reading it ended the child.
        """
        found = self._first.answer()
        self._idle.put(self._first)
        return found

    def plane(self, place: tuple[int, int], grid: str) -> NDArray[np.float32]:
        """Values of a field of the index; on any thread.

        Parameters
        ----------
        place : offset of the message, and number of the field in it
        grid : str
            Digest of its grid section.

        Returns
        -------
        values : (rows as scanned, columns)

        Raises
        ------
        SourceError
            That message is damaged.
        """
        try:
            packing = simple_packing(self._descriptor, place)
            if packing is None:
                return self._decoded(place)
            values = packing.values(self._descriptor, self._buffers)
            return np.ascontiguousarray(arranged(values, self.index["grids"][grid]))
        except (OSError, ValueError) as error:
            raise SourceError(f"damaged GRIB ({error})", subject=str(self._path)) from error

    def _decoded(self, place: tuple[int, int]) -> NDArray[np.float32]:
        """By a child that has nothing to do, or a new one."""
        child = self._child()
        try:
            return child.plane(place)
        finally:
            self._idle.put(child)

    def _child(self) -> "GribChild":
        with suppress(Empty):
            return self._idle.get_nowait()
        with self._lock:
            if self._further:
                self._further -= 1
                child = GribChild(self._path)
                self._opened.callback(child.close)
                return child
        return self._idle.get()

    def close(self) -> None:
        """End the children."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class GribChild:
    """One of them; for one thread at a time.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = subprocess.Popen(  # noqa: S603  our own module, the path as one argument
            [sys.executable, "-m", "datacube.ingest.grib_worker", str(path.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**KEEPING, **os.environ},
        )
        if self._process.stdout is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # a system that allows no more
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, _PIPE)

    def plane(self, place: tuple[int, int]) -> NDArray[np.float32]:
        """Values of a message: offset, and number of the field in it; (rows as scanned, columns).

        Raises
        ------
        SourceError
            That message is damaged.
        """
        self.ask({"place": place})
        answer = self.answer()
        values = np.empty(answer["shape"], answer["dtype"])
        stream, rest = self._process.stdout, memoryview(values).cast("B")
        while rest and stream is not None and (size := stream.readinto(rest)):  # type: ignore[attr-defined]
            rest = rest[size:]
        if rest:
            raise self._ended()
        return values

    def close(self) -> None:
        """End the child."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # what could not be said to a child that has ended
                    stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, question: dict[str, Any]) -> None:
        """Begin to have a question answered."""
        stream = self._process.stdin
        if stream is None or stream.closed:
            raise SourceError("the GRIB decoder is closed", subject=str(self._path))
        try:
            stream.write(json.dumps(question).encode() + b"\n")
            stream.flush()
        except OSError as error:
            raise self._ended() from error

    def answer(self) -> dict[str, Any]:
        """What it answers.

        Raises
        ------
        SourceError
            The file is damaged, or reading it ended the child.
        """
        stream = self._process.stdout
        line = b"" if stream is None else stream.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SourceError(
                f"damaged or unknown GRIB ({answer['error']})", subject=str(self._path)
            )
        return answer

    def _ended(self) -> SourceError:
        status = self._process.wait()
        return SourceError(
            f"decoding it ended the GRIB decoder (status {status})", subject=str(self._path)
        )
