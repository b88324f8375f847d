"""Writers that are killed, or that race: run in processes of their own."""

import os
import random
from collections.abc import Mapping
from multiprocessing.connection import Connection

from datacube.errors import ConflictError
from datacube.store.cube import CubeStore, open_cube
from datacube.store.manifest import SourceRecord
from datacube.store.url import open_store
from tests.cubes import read_level, slice_values, ticks_of, time_of

DAYS = 9

type State = Mapping[int, int]
"""day -> t of the closed form"""

type Operation = tuple[int, int]
"""(day, t); t = -1: the day is deleted."""


FINISHED: Operation = (0, 0)
"""What a writer says at its end."""


def operations(seed: int, count: int) -> list[Operation]:
    """Days written in any order, corrected and deleted; the same for the same seed."""
    chosen = random.Random(seed)  # noqa: S311
    there: set[int] = set()
    found = []
    for t in range(count):
        day = chosen.randint(1, DAYS)
        gone = day in there and chosen.random() < 0.25
        there = there - {day} if gone else there | {day}
        found.append((day, -1 if gone else t))
    return found


def after(state: State, operation: Operation) -> State:
    """The state after one more operation."""
    day, t = operation
    changed = {**state, day: t}
    return {one: value for one, value in changed.items() if value >= 0}


def perform(cube: CubeStore, operation: Operation) -> None:
    """One commit."""
    day, t = operation
    ticks = ticks_of(f"2020-01-{day:02d}")
    with cube.transaction(f"day {day}") as tx:
        if t < 0:
            tx.delete(ticks)
        else:
            tx.write_slice(ticks, slice_values(cube.description, t), SourceRecord(f"{day}-{t}"))


def seen(cube: CubeStore) -> State:
    """What a cube holds; every value of every slice is that of the closed form, or it raises."""
    found = {}
    for position, iso in enumerate(time_of(cube).iso):
        values = read_level(cube, "v", position)
        t = int(values[0, 0]) // 1000
        if values.tobytes() != slice_values(cube.description, t)["v"].tobytes():
            raise AssertionError(f"{cube.snapshot}: {iso} is a mixture")
        found[int(iso[8:10])] = t
    return found


def write_until_killed(
    url: str, environment: dict[str, str], work: list[Operation], said: Connection
) -> None:
    """Perform one operation after the other; say so after each."""
    os.environ.update(environment)
    cube = open_cube(open_store(url), "closed")
    for number, operation in enumerate(work):
        perform(cube, operation)
        said.send(number)


def write_in_race(
    url: str, environment: dict[str, str], work: list[Operation], said: Connection
) -> None:
    """Perform operations that others overtake; say which were acknowledged."""
    os.environ.update(environment)
    cube = open_cube(open_store(url), "closed")
    for operation in work:
        try:
            perform(cube, operation)
        except ConflictError:
            continue
        said.send(operation)
    said.send(FINISHED)


def received(said: Connection) -> list[Operation]:
    """Everything that a process has said so far, or until it closes."""
    found = []
    try:
        while said.poll():
            found.append(said.recv())
    except EOFError:
        pass
    return found
