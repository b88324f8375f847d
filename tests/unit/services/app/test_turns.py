"""Work in the order in which it came, but nobody waits for what takes long."""

import asyncio
import threading
import time

from services.app.turns import Turns


def asked(turns, works):
    async def together():
        return await asyncio.gather(*(turns.take(work) for work in works))

    return asyncio.run(together())


def test_no_more_at_once_than_the_machine_can_do(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    turns, lock = Turns(remote=False), threading.Lock()
    now, most, order = 0, 0, []

    def work(number):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            order.append(number)
        time.sleep(0.002)
        with lock:
            now -= 1

    asked(turns, [lambda number=number: work(number) for number in range(30)])
    turns.close(wait=True)
    assert most <= 2
    assert sorted(order) == list(range(30))
    assert all(abs(place - number) <= 2 for place, number in enumerate(order))


def test_what_takes_long_gives_its_place_away(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    turns, ended = Turns(remote=False), threading.Event()
    found = asked(turns, [*[lambda: ended.wait(20)] * 4, ended.set])
    turns.close(wait=True)
    assert found == [True, True, True, True, None]


def test_the_next_one_begins_while_the_event_loop_is_busy(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    turns, begun = Turns(remote=False, processes=2), [threading.Event(), threading.Event()]

    async def together():
        works = [asyncio.ensure_future(turns.take(one.set)) for one in begun]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        seen = [one.wait(20) for one in begun]  # nothing else happens at the loop meanwhile
        await asyncio.gather(*works)
        return seen

    assert asyncio.run(together()) == [True, True]
    turns.close(wait=True)


def test_the_next_one_has_its_whole_time(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("services.app.turns.LONG", 0.6)
    turns, lock, now, most = Turns(remote=False), threading.Lock(), 0, 0

    def work():
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.35)
        with lock:
            now -= 1

    asked(turns, [work] * 3)
    turns.close(wait=True)
    assert most == 1


def test_threads_that_work_may_be_left():
    turns, ended = Turns(remote=False), threading.Event()

    async def leave():
        task = asyncio.ensure_future(turns.take(lambda: ended.wait(20)))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        turns.close(wait=False)
        seconds = time.monotonic() - began
        ended.set()
        return seconds, await task

    seconds, found = asyncio.run(leave())
    assert found
    assert seconds < 1


def test_who_watches_waits_for_no_work(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    turns, ended = Turns(remote=False), threading.Event()

    async def crowded():
        works = [asyncio.ensure_future(turns.take(lambda: ended.wait(20))) for _ in range(50)]
        await asyncio.sleep(0.05)
        seen = await turns.aside(lambda: not ended.is_set())
        ended.set()
        return seen, await asyncio.gather(*works)

    seen, found = asyncio.run(crowded())
    turns.close(wait=True)
    assert seen
    assert all(found)
