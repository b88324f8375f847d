"""Whether the client of a request is still there while its answer is made."""

import asyncio
from collections.abc import Callable
from threading import Event
from types import TracebackType
from typing import Self

from starlette.types import Receive

from datacube.engine.waiting import as_long_as_wanted

MOMENT = 0.1  # seconds; what is answered by then is not worth a look


class Asker:
    """The client of one request; a context manager around the making of its answer.

    Parameters
    ----------
    receive : of the request, whose body has been read
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = Event()
        self._looking: asyncio.Task[None] | None = None
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
        if self._looking is not None:
            self._looking.cancel()

    def waits_for[T](self, work: Callable[[], T]) -> Callable[[], T]:
        """Work that is given up when the client has gone; it raises Abandoned then."""

        def done() -> T:
            with as_long_as_wanted(self._gone):
                return work()

        return done

    def _look(self) -> None:
        self._looking = asyncio.get_running_loop().create_task(self._disconnected())

    async def _disconnected(self) -> None:
        await disconnected(self._receive)
        self._gone.set()


async def disconnected(receive: Receive) -> None:
    """Wait until the client has gone, or has its answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
