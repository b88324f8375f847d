"""Several processes that answer at one port, and the one that looks after them.

One process works on one core at a time, for Python's lock is one. So a small parent has as many as
there are cores; it answers nothing itself and has loaded next to nothing. It forks a process that
loads everything, of which the workers are forked, whose memory they share, and which then ends; the
parent takes its children on. Where the system does not give them to it, each worker is the process
that it has forked itself. It begins a worker anew that has ended, hands on the wish to stop, and
ends when they have.

A worker tells through a pipe which process it is, and once that it is ready, or why it is not;
through another the parent tells it to open the port, to stop, and not to wait any longer. The end
of the parent is the end of that pipe, so that no worker is left behind.
"""

import ctypes
import gc
import logging
import os
import pickle
import selectors
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from datacube.errors import DatacubeError
from services.app.access import write_out
from services.app.board import Board

LOGGER = logging.getLogger("datacube.server")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
OPEN, STOP = b"o", b"s"

_WATCHED = (*SIGNALS, signal.SIGCHLD)
_PATIENCE = 1.0  # seconds that a worker has to answer, or else the next one waits as long
_HANGING = 5.0  # seconds after the grace until a worker is killed
_BUFFER = 1 << 16
_NUMBER = 8  # bytes of the number of a process
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER (linux/prctl.h)

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

    def taken(self) -> None:
        """Tell which process this is."""
        os.write(self.words, os.getpid().to_bytes(_NUMBER))

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
    """A worker as the parent sees it; what it has not told yet, its process and when, is 0."""

    number: int
    orders: int
    words: int
    pid: int = 0
    said: bytes = b""
    ready: float = 0.0


class Workers:
    """The parent.

    Parameters
    ----------
    board : Board, with a part for each worker
    prepare : callable
        Loads what the workers have in common and tells what they do; called in the process that
        they are forked of.
    opened : callable
        Told what the last worker has reported when all are ready.
    grace : float
        Seconds that requests under way get when the server is stopped.
    """

    def __init__(
        self,
        board: Board,
        prepare: Callable[[], Work],
        opened: Callable[..., None],
        grace: float,
    ) -> None:
        self._board = board
        self._prepare = prepare
        self._opened = opened
        self._grace = grace
        self._workers: dict[int, _Worker] = {}
        self._origins: dict[int, Sequence[int]] = {}
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
        wake, waking = os.pipe()
        os.set_blocking(waking, False)
        before = {name: signal.signal(name, lambda *_: None) for name in _WATCHED}
        signal.set_wakeup_fd(waking)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(wake, selectors.EVENT_READ)
                numbers = range(self._board.workers)
                for some in [numbers] if _adopt(True) else [[number] for number in numbers]:
                    self._begin(some, selector)
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
            for pid in (*self._origins, *(one.pid for one in self._workers.values() if one.pid)):
                os.kill(pid, signal.SIGKILL)
        for number in [one for one, due in self._due.items() if due <= now]:
            del self._due[number]
            self._begin([number], selector)

    def _pause(self) -> float | None:
        """Seconds until something is due."""
        if self._stopping:
            return 1.0
        if self._due:
            return max(min(self._due.values()) - time.monotonic(), 0.0)
        return None

    def _begin(self, numbers: Sequence[int], selector: selectors.BaseSelector) -> None:
        """Fork the process that workers come from, or become."""
        posts = []
        for number in numbers:
            orders, ordering = os.pipe()
            listening, words = os.pipe()
            posts.append(Post(number, orders, words))
            worker = self._workers[number] = _Worker(number, ordering, listening)
            selector.register(listening, selectors.EVENT_READ, worker)
        pid = _forked()
        if pid == 0:
            selector.close()
            signal.set_wakeup_fd(-1)
            for other in self._workers.values():
                _close(other.orders, other.words)
            self._originate(posts)
        for post in posts:
            _close(post.orders, post.words)
        self._origins[pid] = numbers

    def _originate(self, posts: Sequence[Post]) -> NoReturn:
        """Load what all have in common and fork them, or become the only one; never returns."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent says it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            work = self._prepare()
        except Exception as error:  # noqa: BLE001  the parent tells it
            posts[0].taken()
            posts[0].failed(error)
            os._exit(1)
        gc.collect()
        gc.freeze()
        for place, post in enumerate(posts):
            if len(posts) == 1 or _forked() == 0:
                for other in posts[place + 1 :]:
                    _close(other.orders, other.words)
                _become(post, work)
            _close(post.orders, post.words)
        os._exit(0)

    def _listen(self, worker: _Worker, selector: selectors.BaseSelector) -> None:
        if part := os.read(worker.words, _BUFFER):
            worker.said += part
            if not worker.pid and len(worker.said) >= _NUMBER:
                worker.pid = int.from_bytes(worker.said[:_NUMBER])
            return
        selector.unregister(worker.words)
        _close(worker.words)
        worker.words = -1
        said = worker.said[_NUMBER:]
        word = pickle.loads(said) if said else None  # noqa: S301  our own fork's
        if isinstance(word, Exception):
            self._could_not(worker, word)
        elif isinstance(word, tuple):
            worker.ready = time.monotonic()
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
        elif all(one.ready for one in self._workers.values()):
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
        for pid, numbers in self._origins.items():
            if not all(self._workers[number].pid for number in numbers):
                os.kill(pid, signal.SIGTERM)  # it is loading, and hears nothing else

    def _reap(self, selector: selectors.BaseSelector) -> None:
        """Take notice of what has ended."""
        for pid in list(self._origins):
            if (code := _exit_code(pid)) is not None:
                self._without_origin(pid, code, selector)
        for worker in list(self._workers.values()):
            code = None if worker.pid in {0, *self._origins} else _exit_code(worker.pid)
            if code is not None:
                self._bury(worker, code, selector)

    def _without_origin(self, pid: int, code: int, selector: selectors.BaseSelector) -> None:
        """The process has ended that workers came from, or that was one."""
        numbers = self._origins.pop(pid)
        if len(numbers) > 1:
            _adopt(False)
        for worker in [self._workers[number] for number in numbers]:
            while worker.words >= 0 and not worker.pid:
                self._listen(worker, selector)
            if worker.pid in {0, pid}:
                self._bury(worker, code, selector)

    def _bury(self, worker: _Worker, code: int, selector: selectors.BaseSelector) -> None:
        """Hear all that a worker had to say that has ended, and strike it off."""
        while worker.words >= 0:
            self._listen(worker, selector)
        del self._workers[worker.number]
        _close(worker.orders)
        self._ended(worker, code)

    def _ended(self, worker: _Worker, code: int) -> None:
        """See to it that another takes the place of one that has ended unasked."""
        if self._stopping:
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if not self._begun:
            self._failure = RuntimeError(f"worker {worker.number + 1} ended with {how}")
            self._stop()
            return
        now = time.monotonic()
        lived = worker.ready > 0 and now - worker.ready > _PATIENCE
        self._due[worker.number] = now + (0.0 if lived else _PATIENCE)
        self._board.restarted()
        LOGGER.error(
            "worker %d (process %d) ended with %s; another takes its place",
            *(worker.number + 1, worker.pid, how),
        )


def _become(post: Post, work: Work) -> NoReturn:
    """Be a worker, which never returns to what the parent was doing."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, lambda *_: None)
        post.taken()
        work(post)
        code = 0
    except Exception:
        LOGGER.exception("worker %d failed", post.number + 1)
    finally:
        write_out()
        os._exit(code)


def _forked() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # libraries have idle threads
        return os.fork()


def _adopt(wanted: bool, /) -> bool:
    """Whether the system was told to give this process the children of those that it has begun."""
    if sys.platform != "linux":
        return False
    told: int = ctypes.CDLL(None).prctl(_SUBREAPER, int(wanted), 0, 0, 0)
    return told == 0


def _exit_code(pid: int) -> int | None:
    """How a process has ended; None where it has not, or is not a child of this one yet."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if found else None


def _write(descriptor: int, order: bytes) -> None:
    with suppress(BrokenPipeError):  # it has ended, which will be seen
        os.write(descriptor, order)


def _close(*descriptors: int) -> None:
    for one in descriptors:
        if one >= 0:
            os.close(one)
