"""Writing, deleting, retention, going back, collecting, compacting and growing in any order.

A model says what every version holds. Whatever comes, and wherever a writer dies, each version
that can still be found holds exactly that, the plain path shows what it should, and a collection
leaves nothing that no version needs.
"""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from datacube.errors import ConflictError, StorageError
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.store.collect import collect
from datacube.store.compact import compact, rollback
from datacube.store.cube import CubeStore, open_cube
from datacube.store.history import history
from datacube.store.home import locate
from datacube.store.maintain import verify
from datacube.store.manifest import SourceRecord
from datacube.store.objects import ObjectStore
from datacube.store.retention import Age, Hold, Policy, Rule, delete_expired, expiries
from datacube.store.tables import segment_key, slice_key
from datacube.store.url import open_store
from tests.cubes import make_cube, read_level, ticks_of, time_of
from tests.stores import CrashingStore

AT_ONCE = timedelta(seconds=-1)
CHUNKS = {"x": 4, "y": 4}
NIL = -1
SIDE = 8
SEEDS = (3, 6, 18, 25, 39)

type Content = tuple[int, int]
"""What a slice holds: its number, and its first column that is no data."""

type State = tuple[int, Mapping[int, Content]]
"""Width of the grid, and day -> content."""


def day_ticks(day: int) -> int:
    return ticks_of(f"2020-01-{day:02d}")


def values_of(content: Content, width: int) -> NDArray[np.int32]:
    number, until = content
    y, x = np.mgrid[0:SIDE, 0:width]
    return np.where(x < until, 1000 * number + 10 * y + x, NIL).astype(np.int32)


class Upkeep:
    """One cube on a local path, its model, and work that may die at any write."""

    def __init__(self, folder: str, seed: int) -> None:
        self.chosen = random.Random(seed)  # noqa: S311
        self.folder = folder
        self.number = 0
        fields = (Field("v", "int32", nil=NIL),)
        cube = make_cube(
            self.store, times=(), width=SIDE, height=SIDE, bbox=(0, 0, SIDE, SIDE),
            chunks=CHUNKS, levels=2, series=3, fields=fields,
        )  # fmt: skip
        self.model: dict[int, State] = {cube.version: (SIDE, {})}

    def step(self) -> None:
        """Something, chosen by chance, that may die early, late or not at all."""
        chances = (None, None, self.chosen.randint(0, 6), self.chosen.randint(0, 40))
        crash = self.chosen.choice(chances)
        often = [self.write] * 3 + [self.append] * 5 + [self.rollback] * 2 + [self.collect] * 2
        self.chosen.choice([*often, self.delete, self.retention, self.compact, self.grow])(crash)

    def day(self) -> int:
        return self.chosen.randint(1, 9)

    @property
    def store(self) -> ObjectStore:
        return open_store(self.folder)

    @property
    def newest(self) -> State:
        return self.model[max(self.model)]

    def write(self, crash: int | None) -> None:
        self.written([self.day() for _ in range(self.chosen.randint(1, 3))], crash)

    def written(self, days: list[int], crash: int | None) -> None:
        width, slices = self.newest
        made: dict[int, Content] = {}
        for day in days:
            self.number += 1
            until = self.chosen.choice((0, 2, 6))
            made[day] = (self.number, until) if until else (0, 0)  # those are all the same

        def work(store: ObjectStore) -> None:
            with open_cube(store, "closed").transaction("write") as tx:
                for day, content in made.items():
                    record = SourceRecord(f"{day}-{content}-{self.number}")
                    tx.write_slice(day_ticks(day), {"v": values_of(content, width)}, record)

        self.done(work, crash, (width, {**slices, **made}))

    def append(self, crash: int | None) -> None:
        last = max(self.newest[1], default=0)
        if last < 20:
            self.written([last + 1], crash)

    def delete(self, crash: int | None) -> None:
        width, slices = self.newest
        day = self.day()
        if day not in slices:
            return

        def work(store: ObjectStore) -> None:
            with open_cube(store, "closed").transaction("delete") as tx:
                tx.delete(day_ticks(day))

        self.done(work, crash, (width, {one: slices[one] for one in slices if one != day}))

    def retention(self, crash: int | None) -> None:
        """What is older goes, but for a day on hold, and its space at once."""
        width, slices = self.newest
        first = self.day()
        holds = (Hold("an event", first="2020-01-02", last="2020-01-02"),)
        policy = Policy((Rule(Age(10, "days")),), holds=holds)
        now = datetime(2020, 1, first, tzinfo=UTC) + timedelta(days=10)

        def work(store: ObjectStore) -> None:
            cube = open_cube(store, "closed")
            delete_expired(cube, expiries(cube, policy, now))
            collect(store, "closed", keep=1, grace=AT_ONCE)

        left = {day: one for day, one in slices.items() if day >= first or day == 2}
        self.done(work, crash, (width, left))

    def rollback(self, crash: int | None) -> None:
        number = self.chosen.choice(self.kept())
        self.done(lambda store: rollback(store, "closed", number), crash, self.model[number])

    def compact(self, crash: int | None) -> None:
        def work(store: ObjectStore) -> None:
            with suppress(ConflictError):  # no layout is free before a collection
                compact(store, "closed")

        self.done(work, crash, self.newest)

    def grow(self, crash: int | None) -> None:
        width, slices = self.newest
        box = BoundingBox(0, 0, width + 3, SIDE, Crs.parse("EPSG:4326"))
        grid = RectifiedGrid.from_bbox(box, width + 3, SIDE)

        def work(store: ObjectStore) -> None:
            with (
                suppress(ConflictError),
                open_cube(store, "closed").transaction("grow") as tx,
            ):
                tx.grow(grid)

        self.done(work, crash, (width + 3, slices), sure=False)

    def collect(self, crash: int | None) -> None:
        keep = self.chosen.choice((None, 1, 2))

        def work(store: ObjectStore) -> None:
            collect(store, "closed", keep=keep, grace=AT_ONCE)

        self.done(work, crash, self.newest)
        if crash is None and keep == 1:
            self.nothing_is_left_over()

    def kept(self) -> list[int]:
        home, head = locate(self.store, "closed")
        return [one.version for one, _ in history(home, "closed", head)]

    def done(
        self,
        work: Callable[[ObjectStore], object],
        crash: int | None,
        after: State,
        *,
        sure: bool = True,
    ) -> None:
        """Do it, dying after so many writes, and compare everything with the model."""
        before = max(self.model)
        with suppress(*([] if crash is None else [StorageError])):
            work(self.store if crash is None else CrashingStore(self.store, crash))
        cube = open_cube(self.store, "closed")
        committed = cube.version > before
        assert committed or crash is not None or not sure or after == self.newest
        for number in range(before + 1, cube.version + 1):
            self.model[number] = after
        assert self.kept()[0] == cube.version
        for number in self.kept():
            one = open_cube(self.store, "closed", version=number)
            self.holds(one, self.model[number])
            assert verify(one) == []
        if committed and crash is None and cube.record.in_order:
            self.is_shown(self.model[cube.version])

    def holds(self, cube: CubeStore, state: State) -> None:
        width, slices = state
        assert [int(iso[8:10]) for iso in time_of(cube).iso] == sorted(slices)
        for position, day in enumerate(sorted(slices)):
            assert np.array_equal(read_level(cube, "v", position), values_of(slices[day], width))

    def is_shown(self, state: State) -> None:
        width, slices = state
        plain: Any = zarr.open_group(f"{self.folder}/closed", mode="r")
        assert [int(one) for one in plain["time"][:]] == [day_ticks(one) for one in sorted(slices)]
        for position, day in enumerate(sorted(slices)):
            assert np.array_equal(plain["v"][position], values_of(slices[day], width))

    def nothing_is_left_over(self) -> None:
        cube = open_cube(self.store, "closed")
        head, record = cube.head, cube.record
        needed = {f"closed/{head.manifest}", "closed/manifest/head.json"}
        needed |= {slice_key("closed", one.name) for one in record.slices}
        segments = record.series.segments if record.series else ()
        needed |= {
            segment_key("closed", name) for one in segments for name in one.documents.values()
        }
        for position in range(len(record.slices)):
            for level, table in enumerate(cube.slice_document(position).fields["v"]):
                counts = cube.chunk_counts("v", level)[1:]
                for flat in np.flatnonzero(table.sizes):
                    place = tuple(map(int, np.unravel_index(flat, counts)))
                    needed.add(cube.chunk_object("v", level, position, place))
        found = set(self.store.list("closed"))
        assert needed <= found
        documents = ("closed/manifest/versions", "closed/manifest/slices", "closed/manifest/seg")
        chunks = ("closed/v/", "closed/overviews/1/v/") if record.in_order else ()
        left = {
            one for one in found - needed
            if one.startswith((*documents, *chunks)) and not one.endswith("zarr.json")
        }  # fmt: skip
        ahead = {one for one in left if one[len(documents[0]) + 1 :][:8] > f"{head.version:08d}"}
        assert left - ahead == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_comes_every_version_holds_what_it_should(tmp_path, seed):
    work = Upkeep(str(tmp_path), seed)
    for _ in range(24):
        work.step()
