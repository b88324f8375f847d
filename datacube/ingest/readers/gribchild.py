"""The parent's end of the GRIB decoder (:mod:`datacube.ingest.grib_worker`)."""

import fcntl
import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from functools import cached_property
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
    """

    def __init__(self, path: Path) -> None:
        count = min(os.cpu_count() or 1, _MOST) if path.stat().st_size >= _LARGE else 1
        self._idle: SimpleQueue[GribChild] = SimpleQueue()
        with ExitStack() as children:
            self._first = GribChild(path)
            children.callback(self._first.close)
            self._first.ask({"index": True})
            for _ in range(count - 1):
                child = GribChild(path)
                children.callback(child.close)
                self._idle.put(child)
            self._children = children.pop_all()

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

    def plane(self, place: tuple[int, int]) -> NDArray[np.float32]:
        """Values of a message of the index, by a child that has nothing to do; on any thread.

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
