"""A server as an operator starts it: its own process, a free port, a store, a graceful end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parent.parent
_URL = re.compile(r"on (http://\S+)/$", re.MULTILINE)
PATIENCE = 120.0  # seconds until the server answers; the machine may be busy


@dataclass(frozen=True)
class LiveServer:
    """A running server.

    Parameters
    ----------
    url : str
        Of its root, without a slash at its end.
    store : str
    process : subprocess.Popen
    log, access_log : Path
        Standard error and standard output.
    """

    url: str
    store: str
    process: subprocess.Popen[bytes]
    log: Path
    access_log: Path

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def start_server(
    store: str | Path, folder: Path, *arguments: str, module: str = "services"
) -> LiveServer:
    """Run ``datacube serve`` over a store until it answers.

    Parameters
    ----------
    store : URL or path
    folder : Path
        For its logs; made where it is absent.
    arguments : str
        Further ones, such as ``--config FILE``.
    module : str
        What is run in place of the server's own program.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, access_log = folder / "server.log", folder / "access.log"
    command = [sys.executable, "-m", module, "serve", "--store", str(store), "--port", "0"]
    with log.open("wb") as errors, access_log.open("wb") as lines:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=REPOSITORY,
            stdout=lines,
            stderr=errors,
            env=_environment(),
            start_new_session=True,
        )
    try:
        url = _wait(process, log)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return LiveServer(url, str(store), process, log, access_log)


def run_datacube(
    arguments: Sequence[str | Path], **options: object
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end; its outputs as text."""
    return subprocess.run(
        [sys.executable, "-m", "services", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env=_environment() | {key: str(value) for key, value in options.items()},
        timeout=240,
    )


def _environment() -> dict[str, str]:
    return dict(os.environ) | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def _wait(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace")
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}:\n{text}")
        found = _URL.search(text)
        if found and _answers(found[1]):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"no answer within {PATIENCE} s:\n{log.read_text(errors='replace')}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=10).status_code == 200
    except httpx.TransportError:
        return False
