"""Threads for the work of requests, and whose turn it is.

Tiles and maps are limited by the processor: more of them at the same time only hinder one another,
and all become slow together. So they begin in the order in which they came, as many at once as the
machine can work on. One that takes long gives its place to the next and goes on beside it, so that
nobody waits for a coverage or a mean over a year. Who asks whether the server lives waits for none.
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
    """

    def __init__(self, *, remote: bool) -> None:
        cores = os.cpu_count() or 2
        self._places = cores * (_REMOTE if remote else 1)
        most = max(8, (2 * _REMOTE if remote else 4) * cores)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="requests")
        self._watched = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    async def take[T](self, work: Callable[[], T]) -> T:
        """Do something in a thread when it is its turn."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = asyncio.Semaphore(self._places)
        await line.acquire()
        place = _Place(line)
        timer = loop.call_later(LONG, place.leave)
        try:
            return await self.run(work)
        finally:
            timer.cancel()
            place.leave()

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
