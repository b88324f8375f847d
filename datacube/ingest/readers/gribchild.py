"""The parent's end of the GRIB decoder (:mod:`datacube.ingest.grib_worker`)."""

import fcntl
import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from datacube.errors import SourceError

_LARGE = 64 << 20
_MOST = 4
_PIPE = 1 << 20


class GribDecoder:
    """Child processes that decode one GRIB file, several for a large one; a context manager.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    index : mapping
        ``messages``, ``grids`` and ``damage``, as the first child says them.

    Raises
    ------
    SourceError
        The file is damaged, or decoding it ended the child.
    """

    def __init__(self, path: Path) -> None:
        count = min(os.cpu_count() or 1, _MOST) if path.stat().st_size >= _LARGE else 1
        self._idle: SimpleQueue[GribChild] = SimpleQueue()
        with ExitStack() as children:
            for _ in range(count):
                child = GribChild(path)
                children.callback(child.close)
                self._idle.put(child)
            first = self._idle.get()
            self.index = first.index()
            self._idle.put(first)
            self._children = children.pop_all()

    def plane(self, place: tuple[int, int]) -> NDArray[np.float32]:
        """Values of a message, by a child that has nothing to do; safe on many threads.

        Parameters
        ----------
        place : offset, and number of the field in the message

        Returns
        -------
        values : (rows as scanned, columns)

        Raises
        ------
        SourceError
            That message is damaged.
        """
        child = self._idle.get()
        try:
            return child.plane(place)
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """End the children."""
        self._children.close()

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
        )
        if self._process.stdout is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # a system that allows no more
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, _PIPE)

    def index(self) -> dict[str, Any]:
        """Messages, grid sections and damage of the file.

        Raises
        ------
        SourceError
            It cannot be read, or reading it ended the child.
        """
        self._ask({"index": True})
        return self._answer()

    def plane(self, place: tuple[int, int]) -> NDArray[np.float32]:
        """Values of a message: offset, and number of the field in it; (rows as scanned, columns).

        Raises
        ------
        SourceError
            That message is damaged.
        """
        self._ask({"place": place})
        answer = self._answer()
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

    def _ask(self, question: dict[str, Any]) -> None:
        stream = self._process.stdin
        if stream is None or stream.closed:
            raise SourceError("the GRIB decoder is closed", subject=str(self._path))
        try:
            stream.write(json.dumps(question).encode() + b"\n")
            stream.flush()
        except OSError as error:
            raise self._ended() from error

    def _answer(self) -> dict[str, Any]:
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
