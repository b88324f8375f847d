"""Several processes that answer at one port, and the one that looks after them.

One process works on one core at a time, for Python's lock is one. So a small parent forks as many
as there are cores, after everything is imported, whose memory they share; it answers nothing
itself. It begins a worker anew that has ended, hands on the wish to stop, and ends when they have.

A worker tells once, through a pipe, that it is ready, or why it is not; through another the parent
tells it to open the port, to stop, and not to wait any longer. The end of the parent is the end of
that pipe, so that no worker is left behind.
"""

import gc
import logging
import os
import pickle
import selectors
import signal
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from datacube.errors import DatacubeError
from services.app.board import Board

LOGGER = logging.getLogger("datacube.server")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
OPEN, STOP = b"o", b"s"

_WATCHED = (*SIGNALS, signal.SIGCHLD)
_PATIENCE = 1.0  # seconds that a worker has to live, or else the next one waits as long
_HANGING = 5.0  # seconds after the grace until a worker is killed
_BUFFER = 1 << 16

type Work = Callable[["Post"], None]
"""What a worker does: it gets ready, tells so, waits until it may open the port, and serves."""


@dataclass(frozen=True, slots=True)
class Post:
    """A worker's ends of the pipes.

    Parameters
    ----------
    number : int, which worker it is
    orders : int, file descriptor of what the parent says
    words : int, file descriptor of what is said to the parent
    """

    number: int
    orders: int
    words: int

    def ready(self, report: tuple[object, ...]) -> bool:
        """Tell that the port can be opened, and wait for the word to; False where it never comes.

        Parameters
        ----------
        report : tuple, handed to whoever asked the parent for the workers
        """
        self._say(report)
        return os.read(self.orders, 1) == OPEN

    def failed(self, error: Exception) -> None:
        """Tell why there will be no worker."""
        if isinstance(error, DatacubeError):
            self._say(DatacubeError(error.message, subject=error.subject))
        else:
            self._say(RuntimeError(repr(error)))

    def _say(self, word: object) -> None:
        os.write(self.words, pickle.dumps(word))
        os.close(self.words)


@dataclass(slots=True)
class _Worker:
    """A worker as the parent sees it."""

    number: int
    pid: int
    orders: int
    words: int
    began: float = field(default_factory=time.monotonic)
    said: bytes = b""
    open: bool = False


class Workers:
    """The parent.

    Parameters
    ----------
    board : Board, with a part for each worker
    work : callable
    opened : callable
        Told what the last worker has reported when all are ready.
    grace : float
        Seconds that requests under way get when the server is stopped.
    """

    def __init__(self, board: Board, work: Work, opened: Callable[..., None], grace: float) -> None:
        self._board = board
        self._work = work
        self._opened = opened
        self._grace = grace
        self._workers: dict[int, _Worker] = {}
        self._due: dict[int, float] = {}
        self._begun = False
        self._failure: Exception | None = None
        self._stopping = 0.0

    def run(self) -> None:
        """Look after the workers until they have been stopped.

        Raises
        ------
        Exception
            What kept a worker from getting ready in the beginning.
        """
        gc.collect()
        gc.freeze()
        wake, waking = os.pipe()
        os.set_blocking(waking, False)
        before = {name: signal.signal(name, lambda *_: None) for name in _WATCHED}
        signal.set_wakeup_fd(waking)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(wake, selectors.EVENT_READ)
                for number in range(self._board.workers):
                    self._begin(number, selector)
                while self._workers or self._due:
                    self._step(wake, selector)
        finally:
            signal.set_wakeup_fd(-1)
            for name, handler in before.items():
                signal.signal(name, handler)
            os.close(wake)
            os.close(waking)
        if self._failure is not None:
            raise self._failure

    def _step(self, wake: int, selector: selectors.BaseSelector) -> None:
        for key, _ in selector.select(self._pause()):
            if key.data is not None:
                self._listen(key.data, selector)
                continue
            for number in os.read(wake, _BUFFER):
                if number in SIGNALS:
                    self._stop()
        self._reap(selector)
        now = time.monotonic()
        if self._stopping and now > self._stopping + self._grace + _HANGING:
            for worker in self._workers.values():
                os.kill(worker.pid, signal.SIGKILL)
        for number in [one for one, due in self._due.items() if due <= now]:
            del self._due[number]
            self._begin(number, selector)

    def _pause(self) -> float | None:
        """Seconds until something is due."""
        if self._stopping:
            return 1.0
        if self._due:
            return max(min(self._due.values()) - time.monotonic(), 0.0)
        return None

    def _begin(self, number: int, selector: selectors.BaseSelector) -> None:
        orders, ordering = os.pipe()
        listening, words = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # libraries have idle threads
            pid = os.fork()
        if pid == 0:
            selector.close()
            for one in (ordering, listening):
                os.close(one)
            self._become(Post(number, orders, words))
        os.close(orders)
        os.close(words)
        worker = self._workers[number] = _Worker(number, pid, ordering, listening)
        selector.register(listening, selectors.EVENT_READ, worker)

    def _become(self, post: Post) -> NoReturn:
        """Be a worker, which never returns to what the parent was doing."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent says it
            for other in self._workers.values():
                _close(other.orders, other.words)
            self._work(post)
            code = 0
        except Exception:
            LOGGER.exception("worker %d failed", post.number + 1)
        finally:
            logging.shutdown()
            os._exit(code)

    def _listen(self, worker: _Worker, selector: selectors.BaseSelector) -> None:
        if part := os.read(worker.words, _BUFFER):
            worker.said += part
            return
        selector.unregister(worker.words)
        _close(worker.words)
        worker.words = -1
        word = pickle.loads(worker.said) if worker.said else None  # noqa: S301  our own fork's
        if isinstance(word, Exception):
            self._could_not(worker, word)
        elif isinstance(word, tuple):
            worker.open = True
            self._open(worker, word)

    def _could_not(self, worker: _Worker, error: Exception) -> None:
        """A worker has told why it cannot serve; in the beginning none shall."""
        if self._begun:
            reason = error.message if isinstance(error, DatacubeError) else repr(error)
            LOGGER.error("worker %d cannot begin: %s", worker.number + 1, reason)
            return
        self._failure = self._failure or error
        self._stop()

    def _open(self, worker: _Worker, report: tuple[object, ...]) -> None:
        """Let a worker open the port; in the beginning all of them together."""
        if self._stopping:
            return
        if self._begun:
            _write(worker.orders, OPEN)
        elif all(one.open for one in self._workers.values()):
            self._begun = True
            for one in self._workers.values():
                _write(one.orders, OPEN)
            self._opened(*report)

    def _stop(self) -> None:
        """Hand on the wish to stop; a second one is a wish to stop at once."""
        self._stopping = self._stopping or time.monotonic()
        self._due.clear()
        for worker in self._workers.values():
            _write(worker.orders, STOP)

    def _reap(self, selector: selectors.BaseSelector) -> None:
        for worker in list(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                while worker.words >= 0:
                    self._listen(worker, selector)
                del self._workers[worker.number]
                _close(worker.orders)
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: _Worker, code: int) -> None:
        """See to it that another takes the place of one that has ended unasked."""
        if self._stopping:
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if not self._begun:
            self._failure = RuntimeError(f"worker {worker.number + 1} ended with {how}")
            self._stop()
            return
        lived = time.monotonic() - worker.began
        self._due[worker.number] = time.monotonic() + (0.0 if lived > _PATIENCE else _PATIENCE)
        self._board.restarted()
        LOGGER.error(
            "worker %d (process %d) ended with %s; another takes its place",
            *(worker.number + 1, worker.pid, how),
        )


def _write(descriptor: int, order: bytes) -> None:
    with suppress(BrokenPipeError):  # it has ended, which will be seen
        os.write(descriptor, order)


def _close(*descriptors: int) -> None:
    for one in descriptors:
        if one >= 0:
            os.close(one)
