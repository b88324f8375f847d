"""Threads for the work of requests, and whose turn it is.

Tiles and maps are limited by the processor: more of them at the same time only hinder one another,
and all become slow together. So they begin in the order in which they came, as many at once as the
process has cores to work on. One that takes long gives its place to the next and goes on beside it,
so that nobody waits for a coverage or a mean over a year. Who asks whether the server lives waits
for none; what takes a moment needs no thread.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakKeyDictionary

LONG = 0.1  # seconds after which work no longer counts
_REMOTE = 8  # times as many where most of the time is spent waiting for a network


class Turns:
    """Threads of one application.

    Parameters
    ----------
    remote : bool, whether the store lies behind a network
    processes : int, how many there are beside one another
    """

    def __init__(self, *, remote: bool, processes: int = 1) -> None:
        cores = max((os.cpu_count() or 2) // processes, 1)
        self._places = cores * (_REMOTE if remote else 1)
        most = max(8, (2 * _REMOTE if remote else 4) * cores)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="requests")
        self._watched = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    async def take[T](self, work: Callable[[], T]) -> T:
        """Do something in a thread when it is its turn."""
        line = self._line()
        await line.acquire()
        place = _Place(line)
        timer = asyncio.get_running_loop().call_later(LONG, place.leave)
        try:
            return await self.run(work)
        finally:
            timer.cancel()
            place.leave()

    async def here[T](self, work: Callable[[], T]) -> T:
        """Do something that takes a moment when it is its turn, on the event loop itself.

        A thread would take it no faster and cost two changes between threads, each as long as a
        good part of a tile.
        """
        line = self._line()
        if not line.locked():
            return work()
        async with line:
            return work()

    def _line(self) -> asyncio.Semaphore:
        """The places at the running loop."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = asyncio.Semaphore(self._places)
        return line

    async def aside[T](self, work: Callable[[], T]) -> T:
        """Do something short for those who watch the server, however much it has to do."""
        return await asyncio.get_running_loop().run_in_executor(self._watched, work)

    async def run[T](self, work: Callable[[], T]) -> T:
        """Do something in a thread at once, as far as one is free."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self, *, wait: bool) -> None:
        """Let the threads go; wait for what they do, or leave them at it."""
        for pool in (self._threads, self._watched):
            pool.shutdown(wait=wait, cancel_futures=not wait)


class _Place:
    """One of the places, which is left once."""

    __slots__ = ("_line",)

    def __init__(self, line: asyncio.Semaphore) -> None:
        self._line: asyncio.Semaphore | None = line

    def leave(self) -> None:
        """Let the next one in, unless that has happened."""
        line, self._line = self._line, None
        if line is not None:
            line.release()
