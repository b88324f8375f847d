"""Work in the order in which it came, but nobody waits for what takes long."""

import asyncio
import threading
import time

import pytest

from services.app.turns import Turns


def asked(turns, works):
    async def together():
        return await asyncio.gather(*(turns.take(work) for work in works))

    return asyncio.run(together())


def test_no_more_at_once_than_the_machine_can_do(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("services.app.turns.LONG", 60.0)  # a machine may halt for a while
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
    monkeypatch.setattr("services.app.turns.LONG", 2.0)
    turns, lock, now, most = Turns(remote=False), threading.Lock(), 0, 0

    def work():
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.75)
        with lock:
            now -= 1

    asked(turns, [work] * 3)
    turns.close(wait=True)
    assert most == 1


@pytest.mark.parametrize(("processes", "seconds"), [(2, (0.1, 0.3, 0.7)), (1, (0.1, 0.1, 0.3))])
def test_the_more_go_on_beside_the_longer_another_keeps_its_place(monkeypatch, processes, seconds):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    turns, ended = Turns(remote=False, processes=processes), threading.Event()
    begun = []

    def work():
        begun.append(time.monotonic())
        ended.wait(20)

    async def crowded():
        places = 2 // processes
        works = [asyncio.ensure_future(turns.take(work)) for _ in range(places + 3)]
        while len(begun) < len(works):
            await asyncio.sleep(0.01)
        ended.set()
        await asyncio.gather(*works)
        return [one - begun[0] for one in begun[places:]]

    waited = asyncio.run(crowded())
    turns.close(wait=True)
    assert all(after > least - 0.02 for after, least in zip(waited, seconds, strict=True))
    assert not turns._beside


class Later:
    """An event loop's clock and a place at once: what was to be done after how long, or now."""

    def __init__(self, seconds):
        self.seconds, self.timer, self.left = seconds, None, False

    def call_later(self, delay, *_):
        return pytest.approx(delay)

    def leave(self):
        self.left = True


@pytest.mark.parametrize(
    ("beside", "seconds", "delay"),
    [
        (0, 0.0, 0.1),
        (0, 0.04, 0.06),
        (0, 0.1, None),
        (1, 0.04, 0.1),  # looked at again, for those beside may end before
        (1, 0.15, 0.05),
        (1, 0.2, None),
        (2, 0.2, 0.1),
        (3, 0.75, 0.05),
        (9, 0.8, None),
    ],
)
def test_when_a_place_is_given_away(monkeypatch, beside, seconds, delay):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    turns, place = Turns(remote=False), Later(seconds)
    turns._beside |= {Later(1.0) for _ in range(beside)}
    turns._watch(place, place)
    turns.close(wait=True)
    assert (place.timer, place.left, place in turns._beside) == (
        delay,
        delay is None,
        delay is None,
    )


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
