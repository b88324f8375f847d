"""The processes: a granian worker in each, threads for long work, a graceful stop."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

from granian.constants import Interfaces
from granian.server.embed import Server
from numcodecs import blosc

from datacube.errors import ConfigError
from datacube.formats.spool import sweep
from datacube.render import colormap
from datacube.store.heap import give_back
from services.app.access import GatheringHandler
from services.app.asgi import Application
from services.app.board import Board
from services.app.metrics import make_board
from services.app.status import absence
from services.app.workers import SIGNALS, Post, Workers

LOGGER = logging.getLogger("datacube.server")
ARENAS = 2
"""Of the C library, for all threads of a process."""
PAUSE = 5.0  # seconds between two looks at what memory is held unused
GRACE = 10.0  # seconds that requests under way get
GARBAGE = (20_000, 20, 100)
"""Thresholds of garbage collection: requests leave almost nothing that needs it."""
FLUSH = 0.2  # seconds for the last bytes to leave


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, and how it ends.

    Parameters
    ----------
    host : str
        Address to listen on.
    port : int
        0 takes a free one.
    grace : float
        Seconds that requests under way get.
    """

    host: str
    port: int
    grace: float = GRACE

    @property
    def url(self) -> str:
        """Root of the server."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.port}/"


def usual_workers() -> int:
    """How many processes answer where nobody says: one for each core, at most four.

    One where processes cannot be forked without danger.
    """
    return min(os.cpu_count() or 1, 4) if sys.platform == "linux" else 1


def serve(
    prepare: Callable[[Board], Callable[[int], Application]],
    place: Place,
    started: Callable[[str, int, str], None],
    workers: int = 1,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way.

    What is not answered when the grace is over, or at a second signal, is cut off: the process
    ends, for a thread cannot be stopped.

    Parameters
    ----------
    prepare : callable
        Board -> what makes the application of a worker, by its number.
    place : Place
    started : callable
        Told the URL when the port is open, how many cubes there are, and what is wrong with the
        store.
    workers : int
        Processes that answer; one is this process itself.

    Raises
    ------
    ConfigError
        The port is taken or not allowed.
    """
    place = replace(place, port=free_port(place.host, place.port))
    board = make_board(workers)
    make = prepare(board)
    if workers == 1:
        app = make(0)
        cubes = _settle(app)
        started(place.url, cubes, absence(app.store))
        asyncio.run(_serve(app, place, None))
        return

    def work(post: Post) -> None:
        try:
            app = make(post.number)
            report = _settle(app), absence(app.store)
        except Exception as error:  # noqa: BLE001  the parent tells it
            post.failed(error)
        else:
            if post.ready(report):
                asyncio.run(_serve(app, place, post.orders))

    colormap.names()
    Workers(board, work, partial(started, place.url), place.grace).run()


def _settle(app: Application) -> int:
    """Do what the first request would have to wait for, and keep it out of garbage collection.

    A cube of a hundred thousand steps is as many objects: looking through them takes longer than
    many tiles.

    Returns
    -------
    int
        How many cubes there are.
    """
    if gone := sweep():
        LOGGER.info("%d folders of files that were never sent have been taken away", gone)
    cubes = len(app.context.catalog.cubes())
    colormap.names()  # imports matplotlib
    blosc.use_threads = False  # threads for a chunk take longer to begin than the chunk takes
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    return cubes


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


async def _serve(app: Application, place: Place, orders: int | None) -> None:
    """Answer until a signal comes, or for a worker the word of its parent."""
    server = Server(
        app,
        address=place.host,
        port=place.port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
        backlog=1024,
    )
    loop = asyncio.get_running_loop()
    wish = _Wish(orders)
    ending = loop.create_task(_end(app, place.grace, wish, server))
    tidying = loop.create_task(_give_back())
    await server.serve()
    for task in (ending, tidying):
        task.cancel()


class _Wish:
    """Whether it is wished that the server stops, and that it waits no longer.

    Parameters
    ----------
    orders : int, optional
        File descriptor of what the parent says; signals of this process itself where None.
    """

    def __init__(self, orders: int | None) -> None:
        self.asked, self.impatient = asyncio.Event(), asyncio.Event()
        self._told = False
        self._loop = asyncio.get_running_loop()
        if orders is None:
            for name in SIGNALS:
                self._loop.add_signal_handler(name, self._wished)
        else:
            self._loop.add_reader(orders, self._hear, orders)
            # all of a group may be told at once: that is one wish
            self._loop.add_signal_handler(signal.SIGTERM, self.asked.set)

    def _wished(self) -> None:
        (self.impatient if self.asked.is_set() else self.asked).set()

    def _hear(self, orders: int) -> None:
        words = os.read(orders, 100)
        if not words:  # the parent has ended
            self._loop.remove_reader(orders)
        elif len(words) > 1 or self._told:
            self.impatient.set()
        self._told = True
        self.asked.set()


async def _end(app: Application, grace: float, wish: _Wish, server: Server) -> None:
    """Stop when it is wished; the server itself would leave requests unanswered, or wait on."""
    await wish.asked.wait()
    loop = asyncio.get_running_loop()
    waiting = loop.create_task(wish.impatient.wait())
    draining = loop.create_task(app.drain(grace))
    await asyncio.wait((waiting, draining), return_when=asyncio.FIRST_COMPLETED)
    if left := await app.drain(0.0):
        _cut_off(left)
    await asyncio.sleep(FLUSH)
    server.stop()  # type: ignore[no-untyped-call]  # granian's


async def _give_back() -> None:
    """Look after the memory now and then."""
    while True:
        await asyncio.sleep(PAUSE)
        await asyncio.get_running_loop().run_in_executor(None, give_back)


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
