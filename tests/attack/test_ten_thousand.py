"""Ten thousand requests by chance, at every door: no failure, no hang, memory within bounds."""

import asyncio
import gc
import os
import time
from random import Random

import httpx
import pytest
from lxml import etree

from tests.attack.chances import attack
from tests.memory.measure import BOUND, growth

BLOCKS, EACH = 20, 500
_SECONDS = 60  # of the wall, on a machine that does other things too
_WORK = 10  # seconds of the processor for one answer


def ask(app, attacks):
    """Answers one after the other, with the seconds of the processor that each took."""

    async def every():
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for one in attacks:
                start = time.process_time()
                answer = await asyncio.wait_for(_ask(client, one), _SECONDS)
                yield one, answer, time.process_time() - start

    async def gathered():
        return [found async for found in every()]

    return asyncio.run(gathered())


async def _ask(client, one):
    """The answer; None where the client itself cannot send such a request."""
    try:
        request = client.build_request(
            one.method, one.path, params=one.pairs, headers=one.headers, content=one.body
        )
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return None
    return await client.send(request)


def check(one, answer):
    assert answer.status_code < 500 or answer.status_code == 501, (one, answer.text[:500])
    for name, value in answer.headers.items():
        assert "\n" not in name + value
        assert "\r" not in name + value
    assert "x-injected" not in answer.headers
    assert "set-cookie" not in answer.headers
    kind = answer.headers.get("content-type", "")
    if kind.startswith(("text/", "application/")):
        assert b"root:" not in answer.content, one
        assert b"Traceback" not in answer.content, one
    if answer.status_code >= 400 and "xml" in kind and answer.content:
        etree.fromstring(answer.content)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_request_is_answered(app, block):
    random = Random(f"attack {block}")  # noqa: S311  made by chance, not secret
    attacks = [attack(random) for _ in range(EACH)]
    gc.collect()
    with growth(os.getpid()) as grown:
        answers = ask(app, attacks)
    assert grown[0] < BOUND, f"{grown[0] >> 20} MiB"
    sent = [found for found in answers if found[1] is not None]
    assert len(sent) > 0.9 * EACH
    for one, answer, seconds in sent:
        check(one, answer)
        assert seconds < _WORK, one
