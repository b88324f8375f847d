"""A client that goes away before its answer is made: on a real connection, counted at the store."""

import asyncio
import time
from typing import override

import numpy as np
from granian.constants import Interfaces
from granian.server.embed import Server

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.store.url import open_store
from services.app import asker
from services.app.asgi import Application
from services.app.place import free_port
from tests.cubes import make_cube
from tests.stores import CountingStore

DAYS = tuple(np.arange("2021-01-01", "2021-07-20", dtype="datetime64[D]").astype(str))
MEAN = (
    "/wms?service=WMS&version=1.3.0&request=GetMap&layers=days&styles=&crs=CRS:84"
    f"&bbox=-180,-90,180,90&width=40&height=20&format=image/png&time={DAYS[0]}/{DAYS[-1]}&agg=mean"
)

GONE = 'datacube_requests_total{service="wms",status="499"} 1.0'


class SlowStore(CountingStore):
    """Every chunk takes a while."""

    @override
    def _count(self, key, data):
        before = self.chunks_read
        found = super()._count(key, data)
        if self.chunks_read > before:
            time.sleep(0.02)
        return found


async def _until(holds):
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it has not come to pass")


async def _ask_and_leave(app, store, port):
    server = Server(
        app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False
    )
    serving = asyncio.get_running_loop().create_task(server.serve())
    _, writer = await _connected(port)
    writer.write(f"GET {MEAN} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    await _until(lambda: store.chunks_read > 10)
    writer.close()
    await _until(lambda: GONE in app.metrics.page().body.decode())
    server.stop()
    await serving


async def _connected(port):
    for _ in range(500):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
    raise AssertionError("no server")


def test_reading_stops_when_the_connection_is_closed(tmp_path):
    make_cube(tmp_path, "days", times=DAYS, width=40, height=20, levels=1)
    store = SlowStore(open_store(str(tmp_path)))
    app = Application(make_context(store, Config()), store)
    asyncio.run(_ask_and_leave(app, store, free_port("127.0.0.1", 0)))
    app.close()
    assert store.chunks_read < len(DAYS) // 2


def test_a_look_after_the_client_does_not_end_it(tmp_path, monkeypatch):
    """As granian does it: who waits after another has given up is told that the client has gone."""
    make_cube(tmp_path, "days", times=DAYS[:1], width=1500, height=800, levels=1)
    monkeypatch.setattr(asker, "MOMENT", 0.0)
    store = SlowStore(open_store(str(tmp_path)))
    app = Application(make_context(store, Config()), store)
    given_up, sent = [], []

    async def receive():
        if not given_up:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                given_up.append(len(sent))
                raise
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        await asyncio.sleep(0.01)

    query = b"service=WCS&version=2.0.1&request=GetCoverage&coverageId=days&format=image/tiff"
    day = f'&subset=time("{DAYS[0]}T00:00:00Z")'.encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/wcs",
        "query_string": query + day,
        "headers": [(b"host", b"a")],
        "scheme": "http",
        "client": None,
        "server": ("a", 80),
    }
    asyncio.run(app(scope, receive, send))
    app.close()
    assert sent[0]["status"] == 200
    assert [one.get("more_body", False) for one in sent[1:]] == [True] * (len(sent) - 2) + [False]
    assert len(sent) > 2
    assert given_up == [len(sent)]  # when all was sent
