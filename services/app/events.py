"""Word of changes, pushed: server-sent events of one cube or of all.

A listener hears at once what state its cube is in, and again whenever a commit has changed it, so
that it asks anew for what is new. One look at the catalogue a second is for all listeners together.
Who listens occupies no thread; there may be so many and no more, and none keeps the server from
stopping.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.types import Send

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.errors import DatacubeError
from services.app.asker import Disconnect
from services.app.status import problem
from services.app.turns import Turns
from services.ows.caching import NO_STORE
from services.ows.reports import problem_json
from services.ows.transport import Request, Response

MOST = 256
"""Listeners at the same time."""
LOOK = 1.0  # seconds between two looks at the catalogue
QUIET = 15.0  # seconds after which a comment shows that the connection lives
EVENTS = "text/event-stream"

type States = Mapping[str, dict[str, Any]]
"""What a listener is told of each cube, by its id."""


class Events:
    """Tells listeners of changes.

    Parameters
    ----------
    context : Context
    turns : Turns, for looking at the store
    """

    def __init__(self, context: Context, turns: Turns) -> None:
        self._context = context
        self._turns = turns
        self._states: States = {}
        self._listeners: set[asyncio.Event] = set()
        self._watching: asyncio.Task[None] | None = None
        self._stopped = False

    def opened(self, name: str) -> Response:
        """The answer's beginning, or a refusal.

        Parameters
        ----------
        name : str, a cube's id; empty for all cubes
        """
        if len(self._listeners) >= MOST:
            again = [("Retry-After", "30")]
            return problem(503, "Busy", f"{MOST} clients listen already; no more can", again)
        try:
            if name:
                self._context.catalog.cube(name)
        except DatacubeError as error:
            return problem_json(error)
        self._states = self._seen()
        return Response(200, EVENTS, iter(()), (NO_STORE, ("X-Accel-Buffering", "no")))

    async def tell(self, request: Request, name: str, disconnect: Disconnect, send: Send) -> int:
        """Send what there is to say until the client goes or the server stops.

        Returns
        -------
        int
            Bytes sent.
        """
        loop = asyncio.get_running_loop()
        identifier = self._context.catalog.cube(name).id if name else ""
        told = {identifier: request.header("last-event-id")}
        news, sent = asyncio.Event(), 0
        self._listeners.add(news)
        if self._watching is None or self._watching.done():
            self._watching = loop.create_task(self._watch())
        gone = disconnect.awaited()
        try:
            while not (self._stopped or gone.done()):
                news.clear()
                said = b"".join(_told(self._states, identifier, told)) or b":\n\n"
                await send({"type": "http.response.body", "body": said, "more_body": True})
                sent += len(said)
                await _first_of(gone, news)
        finally:
            self._listeners.discard(news)
        if not gone.done():
            await send({"type": "http.response.body", "body": b""})
        return sent

    def stop(self) -> None:
        """Let all listeners go."""
        self._stopped = True
        for news in self._listeners:
            news.set()

    async def _watch(self) -> None:
        """Look while anybody listens."""
        while self._listeners and not self._stopped:
            await asyncio.sleep(LOOK)
            seen = await self._turns.aside(self._seen)
            if seen != self._states:
                self._states = seen
                for news in self._listeners:
                    news.set()

    def _seen(self) -> States:
        return {cube.id: _state(cube) for cube in self._context.catalog.pictured()}


def _state(cube: Cube) -> dict[str, Any]:
    shown = cube.shown
    time = shown.description.domain.time
    said: dict[str, Any] = {"cube": cube.id, "token": shown.token}
    return said if time is None else {**said, "count": time.size, "last": time.iso[-1]}


def _told(states: States, name: str, told: MutableMapping[str, str]) -> Iterator[bytes]:
    """Events for what a listener has not heard of: a cube's state, or that it is gone.

    Parameters
    ----------
    told : token by cube, kept up to date
    """
    for identifier, state in states.items():
        if name in {"", identifier} and told.get(identifier) != state["token"]:
            told[identifier] = state["token"]
            yield _event("cube", state["token"], state)
    for identifier in [one for one in told if one and one not in states]:
        del told[identifier]
        yield _event("gone", "", {"cube": identifier})


def _event(kind: str, token: str, state: Mapping[str, Any]) -> bytes:
    data = json.dumps(state, ensure_ascii=False)
    return f"event: {kind}\nid: {token}\ndata: {data}\n\n".encode("utf-8", "replace")


async def _first_of(gone: asyncio.Task[None], news: asyncio.Event) -> None:
    """Until the client has gone, there is news, or it has been quiet for long."""
    waiting = asyncio.get_running_loop().create_task(news.wait())
    try:
        await asyncio.wait((gone, waiting), timeout=QUIET, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
