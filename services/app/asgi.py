"""The ASGI application: HTTP in, a route's answer out, one access line each."""

import asyncio
import logging
import os
import uuid
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope, Send

from datacube.config.settings import Config
from datacube.engine.context import Context, open_context
from datacube.errors import DatacubeError, InvalidParameter, RequestTooLarge
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store
from services.app import edge
from services.app.access import AccessLine, name_of, operation_of, path_of
from services.app.metrics import Metrics
from services.app.outflow import Outflow
from services.app.routes import Route, Routes
from services.app.status import problem
from services.ows.transport import Request, Response

LOGGER = logging.getLogger("datacube.server")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


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
        settings = context.settings
        self.context = context
        self.metrics = Metrics(context)
        self._routes = Routes(context, store, self.metrics)
        self._public = edge.PublicUrl(settings.public_url or "", settings.trusted_proxies)
        workers = max(8, 4 * (os.cpu_count() or 2))
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="requests")
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
        self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def drain(self, seconds: float) -> None:
        """Refuse new requests (503) and wait until those under way are answered.

        Parameters
        ----------
        seconds : float
            How long at most.
        """
        self._draining = True
        deadline = perf_counter() + seconds
        while self._active and perf_counter() < deadline:
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Wait for the requests under way, then let the threads go."""
        self._threads.shutdown(wait=True)
        self.context.pool.shutdown(wait=True)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, error_id = perf_counter(), uuid.uuid4().hex[:16]
        chunks = self.context.cache.chunks_read
        http = HttpRequest(scope, receive)
        request, route, early = await self._understood(http)
        status, nbytes = 499, 0  # where the client has gone before the answer was there
        try:
            response = early or await self._answered(request, route, error_id)
            status = response.status
            nbytes = await self._sent(http, request, response, error_id, send)
        except ClientDisconnect:
            LOGGER.debug("client of %s has gone", error_id)
        finally:
            seconds = perf_counter() - started
            self.metrics.count(route.service, status, seconds, nbytes)
            AccessLine(
                error_id,
                http.client.host if http.client else "",
                http.method,
                path_of(request.path),
                route.service,
                operation_of(request),
                name_of(request),
                status,
                round(seconds * 1000, 2),
                nbytes,
                self.context.cache.chunks_read - chunks,
            ).write()

    async def _understood(self, http: HttpRequest) -> tuple[Request, Route, Response | None]:
        """Request and route, and the answer where HTTP itself decides it."""
        headers = {name: edge.clean(value) for name, value in http.headers.items()}
        peer = http.client.host if http.client else ""
        host = headers.get("host", "")
        base_url, prefix = self._public.of(http.url.scheme, host, peer, headers)
        path = edge.below(edge.clean(http.scope["path"]), prefix)
        bare = Request(_method(http), path, (), headers, b"", base_url)
        route = self._routes.find(path)
        if self._draining:
            again = [("Retry-After", "5"), ("Connection", "close")]
            return bare, route, problem(503, "Stopping", "the server is being stopped", again)
        if http.method not in _METHODS or (
            http.method != "OPTIONS" and bare.method not in route.methods
        ):
            offered = ", ".join(sorted({*route.methods, "HEAD", "OPTIONS"}))
            refusal = f"{http.method[:20]} is not offered here; there are {offered}"
            return bare, route, problem(405, "MethodNotAllowed", refusal, [("Allow", offered)])
        if http.method == "OPTIONS":
            return bare, route, edge.preflight(headers)
        try:
            query = edge.query_pairs(http.scope["query_string"].decode("latin-1"))
            body = await _body(http, self.context.settings.limits.max_body_bytes)
        except DatacubeError as error:
            return bare, route, route.refusal(error)
        head = http.method == "HEAD"
        return Request(bare.method, path, query, headers, body, base_url, head), route, None

    async def _answered(self, request: Request, route: Route, error_id: str) -> Response:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _answer, request, route, error_id)

    async def _sent(
        self, http: HttpRequest, request: Request, response: Response, error_id: str, send: Send
    ) -> int:
        """Send the answer; the number of bytes of its body."""
        loop = asyncio.get_running_loop()
        packed = await loop.run_in_executor(
            self._threads, edge.compressed, response, request.header("accept-encoding")
        )
        lines = edge.header_lines(packed)
        lines += [*edge.CORS, ("X-Request-Id", error_id), ("X-Content-Type-Options", "nosniff")]
        body = packed.body
        if isinstance(body, bytes) and packed.status not in {204, 304}:
            lines.append(("Content-Length", str(len(body))))
        headers = [(name.lower().encode("latin-1"), _latin(text)) for name, text in lines]
        await send({"type": "http.response.start", "status": packed.status, "headers": headers})
        if http.method == "HEAD":
            body = b""
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": body})
            return len(body)
        try:
            return await self._streamed(http, body, send)
        except (ClientDisconnect, asyncio.CancelledError):
            raise
        except Exception:
            LOGGER.exception("request %s failed while its answer was sent", error_id)
            raise
        finally:
            await loop.run_in_executor(self._threads, _close, body)

    async def _streamed(self, http: HttpRequest, pieces: Iterator[bytes], send: Send) -> int:
        """Send a body piece by piece, as fast as the client takes it.

        A failure breaks the connection, for the status is sent.
        """
        loop = asyncio.get_running_loop()
        nbytes = 0
        with Outflow(http) as outflow:
            while (piece := await loop.run_in_executor(self._threads, _next, pieces)) is not None:
                await outflow.room(nbytes)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                nbytes += len(piece)
        await send({"type": "http.response.body", "body": b""})
        return nbytes


def _answer(request: Request, route: Route, error_id: str) -> Response:
    """The route's answer; an unexpected exception becomes a report that names the log's entry."""
    try:
        return route.handle(request)
    except Exception:
        LOGGER.exception("request %s failed: %s %s", error_id, request.method, request.path[:200])
        return route.failure(request, error_id)


def _method(http: HttpRequest) -> str:
    """The method as services see it: the answer to HEAD is that to GET without its body."""
    return "GET" if http.method == "HEAD" else http.method


async def _body(http: HttpRequest, most: int) -> bytes:
    """The body; refused where it is too large, or ends before it is whole."""
    if http.method != "POST":
        return b""
    stated = http.headers.get("content-length", "0")
    if not stated.isdecimal() or len(stated) > len(str(most)) or int(stated) > most:
        raise _too_large(most)
    parts, size = [], 0
    try:
        async for part in http.stream():
            size += len(part)
            if size > most:
                raise _too_large(most)
            parts.append(part)
    except ClientDisconnect as error:
        raise InvalidParameter("the body ends before it is whole") from error
    return b"".join(parts)


def _too_large(most: int) -> RequestTooLarge:
    return RequestTooLarge(f"the body is larger than {most:,} bytes")


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def _close(pieces: Iterator[bytes]) -> None:
    """End what makes the pieces, where it can be ended."""
    if isinstance(pieces, Generator):
        with suppress(ValueError):  # it is being asked for a piece that nobody waits for
            pieces.close()


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")
