"""An ASGI application called in this process, as a client would over HTTP."""

import asyncio
from typing import Any

import httpx

type App = Any


class Client:
    """Requests to an application; every answer is read whole.

    Parameters
    ----------
    app : ASGI callable
    peer : str
        Address from which the requests come.
    """

    def __init__(self, app: App, peer: str = "127.0.0.1") -> None:
        self._app = app
        self._peer = peer

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """One request."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=(self._peer, 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, url, **options)

        return asyncio.run(ask())

    def get(self, url: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", url, **options)
