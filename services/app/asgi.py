"""The ASGI application: HTTP in, a route's answer out, one access line each.

What is known by its URL is answered on the event loop itself, and so is what takes a moment: a
tile, the values of few places; all else by one of the threads, which does everything from reading
the parameters to the packed bytes.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope, Send

from datacube.config.settings import Config
from datacube.engine.context import Context, make_context
from datacube.engine.waiting import Abandoned
from datacube.formats.pieces import Piece
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store
from services.app.access import Subject, write_line
from services.app.answers import Outgoing, answer, at_once, outgoing
from services.app.asker import Asker, Disconnect
from services.app.board import Board
from services.app.counts import make_board
from services.app.events import Events
from services.app.inflow import Asked, Inflow
from services.app.known import Known, KnownAnswers
from services.app.metrics import Metrics
from services.app.outflow import Outflow
from services.app.routes import Route, Routes
from services.app.turns import Turns
from services.ows.transport import Request, TakesLonger

LOGGER = logging.getLogger("datacube.server")
_MOST = (1 << 32) - 1
NOTED = 0.1  # seconds until the numbers of the caches are told


def create_app(
    config: Config, store_url: str, board: Board | None = None, worker: int = 0
) -> "Application":
    """The application over a store.

    Parameters
    ----------
    config : Config
    store_url : str
        Local path, ``s3://``, ``gs://``, ``az://`` or ``https://``.
    board : Board, optional
        Where the workers of a server meet, as :func:`~services.app.counts.make_board` makes it.
    worker : int
        Which of them this is.

    Raises
    ------
    StorageError
        The store cannot be reached.
    """
    board = board or make_board()
    store = open_store(store_url)
    context = make_context(store, config, board, board.workers)
    return Application(context, store, board, worker)


def applications(config: Config, store_url: str, board: Board) -> Callable[[int], "Application"]:
    """What makes the application of each worker, in the process that is forked for it.

    Of a store on this machine they hold the cubes in common. A connection to another machine does
    not outlive a fork, so that each worker has its own.

    Parameters
    ----------
    config : Config
    store_url : str
    board : Board

    Raises
    ------
    StorageError
        The store cannot be opened.
    """
    tiles = config.server.tile_cache
    stores = [open_store(url) for url in (store_url, *(() if tiles is None else (tiles.url,)))]
    if not all(one.is_local for one in stores):
        return partial(create_app, config, store_url, board)
    context = make_context(stores[0], config, board, board.workers)
    context.catalog.open_own()
    return partial(Application, context, stores[0], board)


class Application:
    """ASGI callable over one context.

    Requests are answered by a pool of threads: numpy, codecs and image encoders release the GIL.
    """

    def __init__(
        self,
        context: Context,
        store: ObjectStore,
        board: Board | None = None,
        worker: int = 0,
    ) -> None:
        board = board or make_board()
        self.context = context
        self.store = store
        self.metrics = Metrics(context, board, worker)
        self._routes = Routes(context, store, self.metrics)
        self._inflow = Inflow(self._routes, context.settings)
        self._known = KnownAnswers(board.workers)
        self._turns = Turns(remote=not store.is_local, processes=board.workers)
        self._events = Events(context, self._turns)
        self._process, self._numbers = os.urandom(4).hex(), count()
        self._active = 0
        self._draining = False
        self._noting = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and stop."""
        match scope["type"]:
            case "http":
                self._active += 1
                try:
                    await self._http(scope, receive, send)
                finally:
                    self._active -= 1
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await self._turns.aside(self._routes.jobs.resume)
            await send({"type": "lifespan.startup.complete"})
        self.close(wait=not self._active)
        await send({"type": "lifespan.shutdown.complete"})

    async def drain(self, seconds: float) -> int:
        """Refuse new requests (503) and wait until those under way are answered.

        Parameters
        ----------
        seconds : float
            How long at most.

        Returns
        -------
        int
            How many are still under way.
        """
        self._draining = True
        self._events.stop()
        self._routes.jobs.stop()
        deadline = perf_counter() + seconds
        while self._active and perf_counter() < deadline:
            await asyncio.sleep(0.02)
        return self._active

    def close(self, *, wait: bool = True) -> None:
        """Let the threads go; wait for the requests under way, or leave them unanswered."""
        self._events.stop()
        self._routes.jobs.close()
        self._turns.close(wait=wait)
        for pool in (self.context.steps, self.context.pool):
            pool.shutdown(wait=wait, cancel_futures=not wait)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, identifier = perf_counter(), f"{self._process}{next(self._numbers) & _MOST:08x}"
        asked = None if self._draining else self._inflow.asked(scope)
        version = "" if asked is None else self.context.catalog.version_at_hand
        known = self._known.find(asked.key, version) if asked and version else None
        if known and asked and await self._at_once(scope, send, asked, known, started, identifier):
            return
        chunks = self.context.cache.chunks_read
        plain = None if asked is None else self._inflow.plain(scope, asked)
        if plain is None:
            http = HttpRequest(scope, receive)
            request, route, early = await self._inflow.understood(http, stopping=self._draining)
        else:
            (request, route), early = plain, None
        subject = Subject(route.service, request.path, request.query)
        # 499 is where the client has gone before the answer was there
        status, nbytes, disconnect = 499, 0, Disconnect(receive)
        try:
            if early is None:
                near = bool(version) and self.store.is_local
                found = await self._found(
                    request, route, subject, identifier, disconnect, near=near
                )
            else:
                found = outgoing(self.context, request, early, "", subject)
            if found.known is not None and asked is not None:
                self._known.keep(asked.key, found.known)
            status = found.status
            if route.events is not None and status == 200 and not request.head:
                await send(_start(found, identifier))
                nbytes = await self._events.tell(request, route.events, disconnect, send)
            else:
                nbytes = await self._sent(scope, disconnect, found, identifier, send)
        except (ClientDisconnect, Abandoned):
            LOGGER.debug("client of %s has gone", identifier)
        finally:
            disconnect.close()
            self._note(
                scope,
                identifier,
                subject,
                status,
                perf_counter() - started,
                nbytes,
                self.context.cache.chunks_read - chunks,
            )

    async def _found(
        self,
        request: Request,
        route: Route,
        subject: Subject,
        identifier: str,
        disconnect: Disconnect,
        *,
        near: bool,
    ) -> Outgoing:
        """The answer: found here where that takes a moment, else by a thread.

        Parameters
        ----------
        disconnect : tells when the client has gone, so that a thread works on for nobody
        near : bool, whether no network and no look at the store stand before the answer
        """

        def work() -> Outgoing:
            return answer(self.context, request, route, subject, identifier)

        def moment() -> Outgoing:
            return answer(self.context, replace(request, brief=True), route, subject, identifier)

        if route.events is not None:
            opened = await self._turns.aside(partial(self._events.opened, route.events))
            return outgoing(self.context, request, opened, "", subject)
        if route.watch:
            return await self._turns.aside(work)
        if near and route.brief(request):
            with suppress(TakesLonger):
                return moment()  # a thread would take two changes, each as long as much of a tile
        with Asker(disconnect) as asker:
            return await self._turns.take(asker.waits_for(work))

    async def _at_once(
        self,
        scope: Scope,
        send: Send,
        asked: Asked,
        known: Known,
        started: float,
        identifier: str,
    ) -> bool:
        """Answer from what is known of the URL, if that is enough."""
        found = at_once(self.context, known, asked.told.if_none_match)
        if found is None or not isinstance(found.body, bytes):
            return False
        body = b"" if scope["method"] == "HEAD" else found.body
        await send(_start(found, identifier))
        await send({"type": "http.response.body", "body": body})
        seconds = perf_counter() - started
        self._note(scope, identifier, known.subject, found.status, seconds, len(body), 0)
        return True

    def _note(
        self,
        scope: Scope,
        identifier: str,
        subject: Subject,
        status: int,
        seconds: float,
        nbytes: int,
        chunks: int,
    ) -> None:
        """Count a request and log it."""
        self.metrics.count(subject.service, status, seconds, nbytes)
        if chunks:
            self.metrics.note_store()
        elif not self._noting:
            self._noting = True
            asyncio.get_running_loop().call_later(NOTED, self._note_store)
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        write_line(identifier, peer, scope["method"], subject, status, seconds, nbytes, chunks)

    def _note_store(self) -> None:
        """Tell the other workers what the caches count, once for many quick requests."""
        self._noting = False
        self.metrics.note_store()

    async def _sent(
        self, scope: Scope, disconnect: Disconnect, found: Outgoing, identifier: str, send: Send
    ) -> int:
        """Send the answer; the number of bytes of its body."""
        await send(_start(found, identifier))
        body = b"" if scope["method"] == "HEAD" else found.body
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": body})
            if isinstance(found.body, Generator):
                await self._turns.run(partial(_close, found.body))
            return len(body)
        if isinstance(body, tuple):
            for piece in body:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return sum(map(len, body))
        try:
            return await self._streamed(scope.get("client"), disconnect, found, body, send)
        except (ClientDisconnect, asyncio.CancelledError):
            raise
        except Exception:
            LOGGER.exception("request %s failed while its answer was sent", identifier)
            raise
        finally:
            await self._turns.run(partial(_close, body))

    async def _streamed(
        self,
        client: tuple[str, int] | None,
        disconnect: Disconnect,
        found: Outgoing,
        pieces: Iterator[Piece],
        send: Send,
    ) -> int:
        """Send a body piece by piece, as fast as the client takes it.

        A failure breaks the connection, for the status is sent.
        """
        nbytes = 0
        length = next((int(text) for name, text in found.lines if name == b"content-length"), None)
        with Outflow(client, disconnect, length) as outflow:
            while (piece := await self._turns.run(partial(_next, pieces))) is not None:
                await outflow.room(nbytes)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                nbytes += len(piece)
        await send({"type": "http.response.body", "body": b""})
        return nbytes


def _start(found: Outgoing, identifier: str) -> dict[str, Any]:
    headers = [*found.lines, (b"x-request-id", identifier.encode())]
    return {"type": "http.response.start", "status": found.status, "headers": headers}


def _next(pieces: Iterator[Piece]) -> Piece | None:
    return next(pieces, None)


def _close(pieces: Iterator[Piece]) -> None:
    """End what makes the pieces, where it can be ended."""
    if isinstance(pieces, Generator):
        with suppress(ValueError):  # it is being asked for a piece that nobody waits for
            pieces.close()
