"""Servers as processes: started on a port of 127.0.0.1, their memory watched, stopped for sure."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

PATIENCE = 90.0  # seconds until a server answers


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """A server that runs.

    Parameters
    ----------
    port : int
    processes : list of Popen, each the leader of its own group
    """

    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def stop(self) -> None:
        """End it and whatever it has started."""
        for ending in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, ending)
            deadline = time.monotonic() + 10
            for process in self.processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, deadline - time.monotonic()))

    def pids(self) -> list[int]:
        """Every process of its groups."""
        groups = {process.pid for process in self.processes}
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    stat = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(stat[2]) in groups:
                        found.append(int(entry.name))
        return found

    def held(self) -> int:
        """Bytes of memory of all its processes now; a page that several share counts once."""
        return sum(map(_held, self.pids()))


def _held(pid: int) -> int:
    """Proportional set size of a process, or what is resident where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


class PeakMemory:
    """Peak of a service's bytes of memory while a block runs, looked at twice a second."""

    def __init__(self, service: Service) -> None:
        self.peak = 0
        self._service = service
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.peak = max(self.peak, self._service.held())

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self.peak = max(self.peak, self._service.held())


def start(
    commands: Callable[[int], Sequence[Sequence[str]]],
    log: Path,
    environment: Mapping[str, str],
    cwd: Path,
    probe: str,
) -> Service:
    """Run a server until it answers anything below status 500 at a path.

    Raises
    ------
    RuntimeError
        It ended, or did not answer; with the last lines of its log.
    """
    service = Service(free_port())
    log.parent.mkdir(parents=True, exist_ok=True)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with log.open("wb") as out:
        for command in commands(service.port):
            service.processes.append(
                subprocess.Popen(
                    command,
                    cwd=cwd,
                    stdout=out,
                    stderr=out,
                    env={**clean, **environment},
                    start_new_session=True,
                )
            )
    try:
        _wait(service, f"http://127.0.0.1:{service.port}{probe}", log)
    except BaseException:
        service.stop()
        raise
    return service


def _wait(service: Service, url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any(process.poll() not in (None, 0) for process in service.processes):
            break
        try:
            if httpx.get(url, timeout=30).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    last = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise RuntimeError("did not start: " + " | ".join(last)[-300:])
