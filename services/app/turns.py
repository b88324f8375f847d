"""Threads for the work of requests, and whose turn it is.

Tiles and maps are limited by the processor: more of them at the same time only hinder one another,
and all become slow together. So they begin in the order in which they came, as many at once as the
process has cores to work on. One that takes long gives its place to the next and goes on beside it,
so that nobody waits for a coverage or a mean over a year. The more go on beside, the longer another
keeps its place: on a busy machine all take long, and each holds memory until it has ended. The next
one waits in its thread, for the event loop may be busy when its turn comes. Who asks whether the
server lives waits for none.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from weakref import WeakKeyDictionary

LONG = 0.1  # seconds after which work no longer counts
_DOUBLED = 3  # times that this is doubled at most, once for as many beside as there are places
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
        self._gate = _Gate(self._places)
        most = max(8, (2 * _REMOTE if remote else 4) * cores)
        self._beside: set[_Place] = set()
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="requests")
        self._watched = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    async def take[T](self, work: Callable[[], T]) -> T:
        """Do something in a thread when it is its turn."""
        line = self._line()
        await line.acquire()
        place = _Place(line, self._gate)
        try:
            self._watch(place, asyncio.get_running_loop())
            return await self.run(partial(place.taken, work))
        finally:
            self._beside.discard(place)
            place.leave()

    def _watch(self, place: "_Place", loop: asyncio.AbstractEventLoop) -> None:
        """Look after a place until its work has taken long, and let it be left then."""
        most = LONG * 2 ** min(len(self._beside) // self._places, _DOUBLED)
        rest = most - place.seconds
        if rest > 0:  # others may end before that
            place.timer = loop.call_later(min(rest, LONG), self._watch, place, loop)
        else:
            self._beside.add(place)
            place.leave()

    def _line(self) -> asyncio.Semaphore:
        """At the running loop: those whose turn it is, and the next one."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = asyncio.Semaphore(self._places + 1)
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
    """A place in the line and, when its turn has come, behind the gate; each is left once.

    Parameters
    ----------
    line : of the event loop
    gate : of the threads
    """

    def __init__(self, line: asyncio.Semaphore, gate: "_Gate") -> None:
        self._line, self._gate = line, gate
        self._lock = threading.Lock()
        self.timer: asyncio.TimerHandle | None = None
        self._begun = 0.0
        self._inside = self._left = False

    def taken[T](self, work: Callable[[], T]) -> T:
        """Do something behind the gate; in a thread."""
        self._gate.enter()
        with self._lock:
            self._begun, self._inside = monotonic(), True
        try:
            return work()
        finally:
            self._let_in()

    @property
    def seconds(self) -> float:
        """Since the work has begun; 0 before."""
        return monotonic() - self._begun if self._begun else 0.0

    def leave(self) -> None:
        """Let the next ones in, unless that has happened; at the event loop."""
        if self.timer is not None:
            self.timer.cancel()
        self._let_in()
        left, self._left = self._left, True
        if not left:
            self._line.release()

    def _let_in(self) -> None:
        """Let the next one through the gate."""
        with self._lock:
            inside, self._inside = self._inside, False
        if inside:
            self._gate.let_in()


class _Gate:
    """Threads that may pass, in the order in which they come.

    Parameters
    ----------
    places : int, how many may be behind it
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def enter(self) -> None:
        """Pass when there is a place."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        with turn:
            pass

    def let_in(self) -> None:
        """Give a place to the next one."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
