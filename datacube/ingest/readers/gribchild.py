"""The parent's end of the GRIB decoder (:mod:`datacube.ingest.grib_worker`)."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from datacube.errors import SourceError


class GribChild:
    """A child process that decodes one GRIB file; a context manager.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    index : mapping
        ``messages``, ``grids`` and ``damage``, as the child says them.

    Raises
    ------
    SourceError
        The file is damaged, or decoding it ended the child.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = subprocess.Popen(  # noqa: S603  our own module, the path as one argument
            [sys.executable, "-m", "datacube.ingest.grib_worker", str(path.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.index: dict[str, Any] = self._answer()
        except SourceError:
            self.close()
            raise

    def plane(self, place: tuple[int, int]) -> NDArray[np.float32]:
        """Values of a message: offset, and number of the field in it; (rows as scanned, columns).

        Raises
        ------
        SourceError
            That message is damaged.
        """
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise SourceError("the GRIB decoder is closed", subject=str(self._path))
        process.stdin.write(json.dumps({"place": place}).encode() + b"\n")
        process.stdin.flush()
        answer = self._answer()
        dtype = np.dtype(answer["dtype"])
        size = int(np.prod(answer["shape"])) * dtype.itemsize
        content = process.stdout.read(size)
        if len(content) != size:
            raise self._ended()
        return np.frombuffer(content, dtype).reshape(answer["shape"])

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
