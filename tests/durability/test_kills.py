"""Writers that are killed at random moments, and eight that race: nothing acknowledged is lost.

``DATACUBE_KILLS`` and ``DATACUBE_ROUNDS`` make it many more (``make durability``). Cubes in
Icechunk repositories commit slower, and get a share of them unless ``DATACUBE_ICECHUNK_KILLS`` and
``DATACUBE_ICECHUNK_ROUNDS`` say otherwise.
"""

import multiprocessing
import os
import random
import time
from datetime import timedelta
from pathlib import Path

import pytest

from datacube.store.collect import collect
from datacube.store.compact import compact
from datacube.store.cube import open_cube
from datacube.store.maintain import verify
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store
from tests.contracts.conftest import s3_environment
from tests.cubes import make_cube
from tests.durability.work import (
    DAYS,
    FINISHED,
    Operation,
    State,
    after,
    operations,
    received,
    seen,
    write_in_race,
    write_until_killed,
)
from tests.stores import IcechunkStore

KILLS = int(os.environ.get("DATACUBE_KILLS", "10"))
ROUNDS = int(os.environ.get("DATACUBE_ROUNDS", "2"))
ICECHUNK_KILLS = int(os.environ.get("DATACUBE_ICECHUNK_KILLS", str(max(5, KILLS // 5))))
ICECHUNK_ROUNDS = int(os.environ.get("DATACUBE_ICECHUNK_ROUNDS", str(max(1, ROUNDS // 8))))
WRITERS = 8
OPTIONS = {"width": 24, "height": 16, "chunks": {"x": 8, "y": 8}, "times": (), "series": 3}


@pytest.fixture(scope="module")
def processes():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.durability.work"])
    return context


def killed_once(processes, url, environment, work, pause) -> list[Operation]:
    """Let a writer begin, kill it some time after its first commit; what it has acknowledged."""
    ours, theirs = processes.Pipe(duplex=False)
    writer = processes.Process(target=write_until_killed, args=(url, environment, work, theirs))
    writer.start()
    theirs.close()
    ours.poll(60)
    time.sleep(pause)
    writer.kill()
    writer.join()
    return received(ours)


def survive(processes, store: ObjectStore, environment: dict[str, str], kills: int) -> None:
    """Kill a writer again and again: the cube is in the state before or after its last commit."""
    make_cube(store, **OPTIONS)
    chosen = random.Random(kills)  # noqa: S311
    state: State = {}
    for number in range(kills):
        work = [
            operation
            for operation in operations(number, 60)
            if operation[1] >= 0 or number % 2  # every other writer also deletes
        ]
        work = fitting(state, work)
        said = killed_once(processes, store.url, environment, work, chosen.uniform(0, 0.12))
        for operation in work[: len(said)]:
            state = after(state, operation)
        following = after(state, work[len(said)]) if len(said) < len(work) else state
        cube = open_cube(store, "closed")
        found = seen(cube)
        assert found in (state, following), (number, said)
        state = found
        if number % 10 == 0:
            assert verify(cube) == []
    maintained(store, state)


def fitting(state: State, work: list) -> list:
    """The operations that can be done one after the other: only what is there is deleted."""
    found = []
    for operation in work:
        if operation[1] >= 0 or operation[0] in state:
            found.append(operation)
            state = after(state, operation)
    return found


def maintained(store: ObjectStore, state: State) -> None:
    """The next writer, compaction and collection put everything in order."""
    compact(store, "closed")
    collect(store, "closed", keep=1, grace=timedelta(0))
    cube = open_cube(store, "closed")
    assert seen(cube) == state
    assert verify(cube) == []
    assert collect(store, "closed", keep=1, grace=timedelta(0)).objects == 0


def test_kills_on_a_local_path(processes, tmp_path: Path):
    survive(processes, open_store(str(tmp_path)), {}, KILLS)


@pytest.mark.s3
def test_kills_on_object_storage(processes, s3_store, s3_server):
    survive(processes, s3_store, s3_environment(s3_server), max(3, KILLS // 10))


def test_kills_with_icechunk_on_a_local_path(processes, tmp_path: Path):
    survive(processes, IcechunkStore(open_store(str(tmp_path))), {}, ICECHUNK_KILLS)


@pytest.mark.s3
def test_kills_with_icechunk_on_object_storage(processes, s3_store, s3_server):
    kills = int(os.environ.get("DATACUBE_ICECHUNK_KILLS", str(max(2, KILLS // 20))))
    survive(processes, IcechunkStore(s3_store), s3_environment(s3_server), kills)


def race(processes, store: ObjectStore, environment: dict[str, str], rounds: int) -> None:
    """Eight writers, each with days of its own and one that all want; a reader all the while."""
    make_cube(store, **OPTIONS)
    acknowledged: list[tuple[int, int]] = []
    pipes, writers = [], []
    for writer in range(WRITERS):
        ours, theirs = processes.Pipe(duplex=False)
        work = [
            (day, WRITERS * 2 * round_ + writer + WRITERS * (day == DAYS))
            for round_ in range(rounds)
            for day in (writer + 1, DAYS)
        ]
        arguments = (store.url, environment, work, theirs)
        writers.append(processes.Process(target=write_in_race, args=arguments))
        pipes.append(ours)
    for process in writers:
        process.start()
    looks: list[State] = []
    while any(process.is_alive() for process in writers):
        looks.append(seen(open_cube(store, "closed")))  # raises where it is a mixture
    for process, ours in zip(writers, pipes, strict=True):
        process.join()
        assert process.exitcode == 0
        *mine, end = received(ours)
        assert end == FINISHED
        acknowledged += mine
    cube = open_cube(store, "closed")
    found = seen(cube)
    for writer in range(WRITERS):
        assert found[writer + 1] == max(t for day, t in acknowledged if day == writer + 1)
    assert (DAYS, found[DAYS]) in acknowledged
    assert {f"{day}-{t}" for day, t in acknowledged} == set(cube.sources)
    assert cube.version == 1 + len(acknowledged)
    assert len(looks) > 3
    maintained(store, found)


def test_a_race_on_a_local_path(processes, tmp_path: Path):
    race(processes, open_store(str(tmp_path)), {}, ROUNDS)


@pytest.mark.s3
def test_a_race_on_object_storage(processes, s3_store, s3_server):
    race(processes, s3_store, s3_environment(s3_server), max(1, ROUNDS // 20))


def test_a_race_with_icechunk_on_a_local_path(processes, tmp_path: Path):
    race(processes, IcechunkStore(open_store(str(tmp_path))), {}, ICECHUNK_ROUNDS)


@pytest.mark.s3
def test_a_race_with_icechunk_on_object_storage(processes, s3_store, s3_server):
    rounds = int(os.environ.get("DATACUBE_ICECHUNK_ROUNDS", "1"))
    race(processes, IcechunkStore(s3_store), s3_environment(s3_server), rounds)
