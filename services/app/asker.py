"""Whether the client of a request is still there while its answer is made."""

import asyncio
from collections.abc import Callable
from threading import Event
from types import TracebackType
from typing import Self

from starlette.types import Receive

from datacube.engine.waiting import as_long_as_wanted

MOMENT = 0.1  # seconds; what is answered by then is not worth a look


class Disconnect:
    """That the client of one request, whose body has been read, goes away.

    Whoever wants to know whether the client has gone waits for the same task: granian takes a wait
    that was given up for the client's end, and tells the next one so.

    Parameters
    ----------
    receive : of the request
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Wait no more."""
        if self._task is not None:
            self._task.cancel()

    def awaited(self) -> asyncio.Task[None]:
        """The wait for it, the same for all."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._seen())
        return self._task

    async def _seen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


class Asker:
    """The client of one request; a context manager around the making of its answer.

    Parameters
    ----------
    disconnect : Disconnect
    """

    def __init__(self, disconnect: Disconnect) -> None:
        self._disconnect = disconnect
        self._gone = Event()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        """Look after the client from a moment later on."""
        self._timer = asyncio.get_running_loop().call_later(MOMENT, self._look)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def waits_for[T](self, work: Callable[[], T]) -> Callable[[], T]:
        """Work that is given up when the client has gone; it raises Abandoned then."""

        def done() -> T:
            with as_long_as_wanted(self._gone):
                return work()

        return done

    def _look(self) -> None:
        self._disconnect.awaited().add_done_callback(self._note)

    def _note(self, _: asyncio.Task[None]) -> None:
        self._gone.set()
