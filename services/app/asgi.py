"""The ASGI application: HTTP in, a route's answer out, one access line each.

What is known by its URL is answered on the event loop itself; all else by one of the threads, which
does everything from reading the parameters to the packed bytes.
"""

import asyncio
import logging
import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope, Send

from datacube.config.settings import Config
from datacube.engine.context import Context, open_context
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store
from services.app.access import Subject, subject_of, write_line
from services.app.answers import Outgoing, answer, at_once, outgoing
from services.app.events import Events
from services.app.inflow import Inflow
from services.app.known import KnownAnswers, UrlKey
from services.app.metrics import Metrics
from services.app.outflow import Outflow
from services.app.routes import Routes
from services.app.turns import Turns

LOGGER = logging.getLogger("datacube.server")


def create_app(config: Config, store_url: str) -> "Application":
    """The application over a store.

    Parameters
    ----------
    config : Config
    store_url : str
        Local path, ``s3://``, ``gs://``, ``az://`` or ``https://``.

    Raises
    ------
    StorageError
        The store cannot be reached.
    """
    return Application(open_context(store_url, config), open_store(store_url))


class Application:
    """ASGI callable over one context.

    Requests are answered by a pool of threads: numpy, codecs and image encoders release the GIL.
    """

    def __init__(self, context: Context, store: ObjectStore) -> None:
        self.context = context
        self.store = store
        self.metrics = Metrics(context)
        self._routes = Routes(context, store, self.metrics)
        self._inflow = Inflow(self._routes, context.settings)
        self._known = KnownAnswers()
        self._turns = Turns(remote=not store.is_local)
        self._events = Events(context, self._turns)
        self._active = 0
        self._draining = False

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
        deadline = perf_counter() + seconds
        while self._active and perf_counter() < deadline:
            await asyncio.sleep(0.02)
        return self._active

    def close(self, *, wait: bool = True) -> None:
        """Let the threads go; wait for the requests under way, or leave them unanswered."""
        self._events.stop()
        self._turns.close(wait=wait)
        for pool in (self.context.steps, self.context.pool):
            pool.shutdown(wait=wait, cancel_futures=not wait)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, identifier = perf_counter(), os.urandom(8).hex()
        asked = None if self._draining else self._inflow.key(scope)
        if asked is not None and await self._at_once(scope, send, asked, started, identifier):
            return
        chunks = self.context.cache.chunks_read
        http = HttpRequest(scope, receive)
        request, route, early = await self._inflow.understood(http, stopping=self._draining)
        subject = subject_of(request, route.service)
        status, nbytes = 499, 0  # where the client has gone before the answer was there
        try:
            if early is None and route.events is not None:
                opened = await self._turns.aside(partial(self._events.opened, route.events))
                found = outgoing(self.context, request, opened, "", subject)
            elif early is None:
                work = partial(answer, self.context, request, route, subject, identifier)
                found = await (self._turns.aside if route.watch else self._turns.take)(work)
            else:
                found = outgoing(self.context, request, early, "", subject)
            if found.known is not None and asked is not None:
                self._known.keep(asked[0], found.known)
            status = found.status
            if route.events is not None and status == 200 and not request.head:
                await send(_start(found, identifier))
                nbytes = await self._events.tell(request, route.events, http, send)
            else:
                nbytes = await self._sent(http, found, identifier, send)
        except ClientDisconnect:
            LOGGER.debug("client of %s has gone", identifier)
        finally:
            self._note(
                scope,
                identifier,
                subject,
                status,
                perf_counter() - started,
                nbytes,
                self.context.cache.chunks_read - chunks,
            )

    async def _at_once(
        self,
        scope: Scope,
        send: Send,
        asked: tuple[UrlKey, str],
        started: float,
        identifier: str,
    ) -> bool:
        """Answer from what is known of the URL, if the catalogue is still at that version."""
        key, if_none_match = asked
        known = self._known.find(key, self.context.catalog.version_at_hand)
        found = None if known is None else at_once(self.context, known, if_none_match)
        if known is None or found is None or not isinstance(found.body, bytes):
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
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        write_line(identifier, peer, scope["method"], subject, status, seconds, nbytes, chunks)

    async def _sent(self, http: HttpRequest, found: Outgoing, identifier: str, send: Send) -> int:
        """Send the answer; the number of bytes of its body."""
        await send(_start(found, identifier))
        body = b"" if http.method == "HEAD" else found.body
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": body})
            if not isinstance(found.body, bytes):
                await self._turns.run(partial(_close, found.body))
            return len(body)
        try:
            return await self._streamed(http, body, send)
        except (ClientDisconnect, asyncio.CancelledError):
            raise
        except Exception:
            LOGGER.exception("request %s failed while its answer was sent", identifier)
            raise
        finally:
            await self._turns.run(partial(_close, body))

    async def _streamed(self, http: HttpRequest, pieces: Iterator[bytes], send: Send) -> int:
        """Send a body piece by piece, as fast as the client takes it.

        A failure breaks the connection, for the status is sent.
        """
        nbytes = 0
        with Outflow(http) as outflow:
            while (piece := await self._turns.run(partial(_next, pieces))) is not None:
                await outflow.room(nbytes)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                nbytes += len(piece)
        await send({"type": "http.response.body", "body": b""})
        return nbytes


def _start(found: Outgoing, identifier: str) -> dict[str, Any]:
    headers = [*found.lines, (b"x-request-id", identifier.encode())]
    return {"type": "http.response.start", "status": found.status, "headers": headers}


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def _close(pieces: Iterator[bytes]) -> None:
    """End what makes the pieces, where it can be ended."""
    if isinstance(pieces, Generator):
        with suppress(ValueError):  # it is being asked for a piece that nobody waits for
            pieces.close()
