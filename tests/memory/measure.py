"""What a server process takes in memory while it answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import override

import httpx

CACHE = 64  # MiB of decoded chunks
BOUND = 512 << 20  # bytes above the idle server, for any request


@dataclass(frozen=True)
class Measured:
    """One answer.

    Parameters
    ----------
    status : int
    nbytes : int, of the body
    growth : int, bytes of resident memory at the highest point, above the idle server
    seconds : float
    headers : of the answer
    """

    status: int
    nbytes: int
    growth: int
    seconds: float
    headers: httpx.Headers

    @override
    def __str__(self) -> str:
        """In words."""
        rate = self.nbytes / self.seconds / 1e6
        return (
            f"{self.nbytes:,} bytes in {self.seconds:.1f} s ({rate:,.0f} MB/s), "
            f"{self.growth / 2**20:,.0f} MiB above the idle server"
        )


def measured(url: str, process: int, **parameters: str) -> Measured:
    """Ask and throw the body away."""
    base = resident(process)
    forget_peak(process)
    started, nbytes = perf_counter(), 0
    with httpx.stream("GET", url, params=parameters, timeout=600) as response:
        for piece in response.iter_raw(1 << 20):
            nbytes += len(piece)
    seconds = perf_counter() - started
    return Measured(response.status_code, nbytes, peak(process) - base, seconds, response.headers)


@contextmanager
def growth(process: int) -> Iterator[list[int]]:
    """The list holds, after the block, how far memory rose above where it was before."""
    base = resident(process)
    forget_peak(process)
    found: list[int] = []
    yield found
    found.append(peak(process) - base)


def resident(process: int) -> int:
    """Bytes in memory now."""
    return _status(process, "VmRSS")


def peak(process: int) -> int:
    """Bytes in memory at the highest point since the last :func:`forget_peak`."""
    return _status(process, "VmHWM")


def forget_peak(process: int) -> None:
    """Let the highest point be what it is now (proc(5), clear_refs)."""
    Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")


def _status(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    line = next(one for one in lines if one.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
