"""One process that answers: the HTTP server, threads for long work, a graceful stop.

All that a request needs is imported here, which the process that looks after the others leaves
alone.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from typing import NoReturn

from granian.constants import Interfaces
from granian.server.embed import Server
from numcodecs import blosc

from datacube.formats.spool import sweep
from datacube.render import colormap
from datacube.store.heap import give_back
from services.app.access import write_out
from services.app.asgi import Application
from services.app.place import Place
from services.app.status import absence
from services.app.workers import SIGNALS, Post, Work

LOGGER = logging.getLogger("datacube.server")
PAUSE = 2.5  # seconds between two looks at what memory is held unused
GARBAGE = (20_000, 20, 100)
"""Thresholds of garbage collection: requests leave almost nothing that needs it."""
FLUSH = 0.2  # seconds for the last bytes to leave


def answer_alone(app: Application, place: Place, started: Callable[[str, int, str], None]) -> None:
    """Serve by this process, until a signal comes.

    Parameters
    ----------
    app : Application
    place : Place
    started : callable
        As of :func:`~services.app.serve.serve`.
    """
    cubes = _settle(app)
    started(place.url, cubes, absence(app.store))
    asyncio.run(_serve(app, place, None))
    write_out()


def worker(make: Callable[[int], Application], place: Place) -> Work:
    """What each of several processes does; called in the one that they are forked of.

    Parameters
    ----------
    make : callable
        What makes the application of a worker, by its number.
    place : Place
    """

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
    return work


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
    write_out()
    os._exit(0)
