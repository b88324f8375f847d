"""The process: one granian worker in it, threads for the work, a graceful stop.

One process with threads shares one cache of decoded chunks; numpy, codecs and image encoders
release the GIL.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from granian.constants import Interfaces
from granian.server.embed import Server

from datacube.errors import ConfigError
from datacube.render import colormap
from services.app import memory
from services.app.access import GatheringHandler
from services.app.asgi import Application

LOGGER = logging.getLogger("datacube.server")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE = 10.0  # seconds that requests under way get
GARBAGE = (20_000, 20, 100)
"""Thresholds of garbage collection: requests leave almost nothing that needs it."""
FLUSH = 0.2  # seconds for the last bytes to leave


def serve(
    app: Application,
    host: str,
    port: int,
    started: Callable[[str], None],
    grace: float = GRACE,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way.

    What is not answered when the grace is over, or at a second signal, is cut off: the process
    ends, for a thread cannot be stopped.

    Parameters
    ----------
    host : str
        Address to listen on.
    port : int
        0 takes a free one.
    started : callable
        Told the URL when the port is open.
    grace : float
        Seconds that requests under way get.

    Raises
    ------
    ConfigError
        The port is taken or not allowed.
    """
    port = free_port(host, port)
    _settle(app)
    asyncio.run(_serve(app, host, port, started, grace))


def _settle(app: Application) -> None:
    """Do what the first request would have to wait for, and keep it out of garbage collection.

    A cube of a hundred thousand steps is as many objects: looking through them takes longer than
    many tiles.
    """
    app.context.catalog.cubes()
    colormap.names()  # imports matplotlib
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0; tried first, since the server's own socket can be shared.

    Raises
    ------
    ConfigError
        It cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            (f"cannot listen on {host}:{port}: {reason}; choose another --host or --port",),
            subject="port",
        ) from error


async def _serve(
    app: Application, host: str, port: int, started: Callable[[str], None], grace: float
) -> None:
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
        backlog=1024,
    )
    asked, impatient = asyncio.Event(), asyncio.Event()

    async def stop_when_asked() -> None:
        """The server itself would leave requests under way unanswered, or wait without end."""
        await asked.wait()
        for name in SIGNALS:
            loop.add_signal_handler(name, impatient.set)
        waiting = loop.create_task(impatient.wait())
        draining = loop.create_task(app.drain(grace))
        await asyncio.wait((waiting, draining), return_when=asyncio.FIRST_COMPLETED)
        if left := await app.drain(0.0):
            _cut_off(left)
        await asyncio.sleep(FLUSH)
        server.stop()  # type: ignore[no-untyped-call]  # granian's

    async def give_back() -> None:
        while True:
            await asyncio.sleep(memory.PAUSE)
            await loop.run_in_executor(None, memory.give_back)

    loop = asyncio.get_running_loop()
    for name in SIGNALS:
        loop.add_signal_handler(name, asked.set)
    shown = f"[{host}]" if ":" in host else host
    started(f"http://{shown}:{port}/")
    beside = [loop.create_task(stop_when_asked()), loop.create_task(give_back())]
    await server.serve()
    for task in beside:
        task.cancel()


def _cut_off(requests: int) -> NoReturn:
    """End the process at once: a thread cannot be stopped, and its request may take for ever."""
    LOGGER.warning("stopped without the answers to %d requests under way", requests)
    logging.shutdown()
    os._exit(0)


def configure_logging(*, debug: bool = False) -> None:
    """Access lines to standard output, everything else to standard error."""
    access = logging.getLogger("datacube.access")
    access.handlers[:] = [GatheringHandler(sys.stdout)]
    access.propagate = False
    access.setLevel(logging.INFO)
    root = logging.getLogger()
    root.handlers[:] = [_handler(sys.stderr, "%(asctime)s %(levelname)s %(name)s: %(message)s")]
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    logging.getLogger("datacube").setLevel(logging.DEBUG if debug else logging.INFO)
    logging.getLogger("pygeoapi").setLevel(logging.CRITICAL)
    for noisy in ("rasterio", "matplotlib", "botocore", "asyncio", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _handler(stream: Any, pattern: str) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(pattern))
    return handler
