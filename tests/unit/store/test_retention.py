"""What a policy ends: as if every draft were compared with every final, at less cost."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import override

import numpy as np
import pytest

from datacube.store.cube import CubeStore, open_cube
from datacube.store.manifest import SourceRecord, Version
from datacube.store.retention import (
    Age,
    Policy,
    Supersession,
    delete_expired,
    expiries,
    timeliness_of,
)
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import FarStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = Policy((), (Supersession(Age(1, "days"), tolerance=timedelta(minutes=3)),))


class Counted(dict[str, str]):
    """Attributes that count how often they are looked at."""

    looks = 0

    @override
    def get(self, key, default=None):
        Counted.looks += 1
        return super().get(key, default)


class Passes(Mapping):
    """A mapping that counts how often all of it is gone through."""

    def __init__(self, inner):
        self.inner, self.passes = inner, 0

    @override
    def __getitem__(self, key):
        return self.inner[key]

    @override
    def __len__(self) -> int:
        return len(self.inner)

    @override
    def __iter__(self) -> Iterator:
        self.passes += 1
        return iter(self.inner)


def granule(number: int, chosen: random.Random) -> SourceRecord:
    kind = chosen.choice(["draft", "draft", "final", ""])
    name = chosen.choice(["", "", f"pass {chosen.randrange(9)}"])
    said = {"timeliness": kind, "acquisition": name}
    day = chosen.choice(["2026-01-01", "2026-02-28T23:00:00"])
    known = {key: text for key, text in said.items() if text}
    return SourceRecord(f"g{number}", "p", "", "", day, known)


def filled(store, count: int, seed: int) -> CubeStore:
    """Slices some minutes apart, each of a granule or two."""
    cube = make_cube(store, times=(), width=2, height=2, levels=1)
    chosen = random.Random(seed)  # noqa: S311
    minutes = chosen.sample(range(2 * count), count)
    with cube.transaction("fill") as tx:
        for number, minute in enumerate(minutes):
            values = {"v": np.full((2, 2), number, np.int32)}
            tx.write_slice(minute * 60_000, values, granule(number, chosen))
            if chosen.random() < 0.3:
                tx.add_source(granule(number + count, chosen), (minute * 60_000,))
    return open_cube(store, "closed")


def by_every_pair(cube: CubeStore) -> dict[int, str]:
    """Drafts that have made way, and the final that stands first in the cube."""
    granules = cube.record.granules
    found: dict[int, str] = {}
    for one in cube.record.slices:
        assert one.ticks is not None
        own = granules[one.ticks]
        if any(timeliness_of(record) != "draft" for record in own):
            continue
        for ticks, records in granules.items():
            assert ticks is not None
            for record in records:
                name = record.attributes.get("acquisition", "")
                same = (
                    any(mine.attributes.get("acquisition") == name for mine in own)
                    if name
                    else ticks != one.ticks and abs(ticks - one.ticks) <= 180_000
                )
                final = timeliness_of(record) == "final"
                if final and same and record.ingested < "2026-02-28T00:00:01":
                    found.setdefault(one.ticks, record.id)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_drafts_make_way_for_the_final_of_the_same_acquisition(tmp_path, seed):
    cube = filled(open_store(str(tmp_path)), 60, seed)
    found = {one.ticks: one.cause.split()[2] for one in expiries(cube, POLICY, NOW)}
    assert found == by_every_pair(cube)
    assert len(found) > 3


def test_what_it_looks_at_grows_with_the_slices_only(tmp_path):
    looks = []
    for count in (100, 400):
        cube = filled(open_store(str(tmp_path / str(count))), count, 1)
        for record, _ in cube.record.sources.values():
            object.__setattr__(record, "attributes", Counted(record.attributes))
        Counted.looks = 0
        expiries(cube, POLICY, NOW)
        looks.append(Counted.looks)
    assert looks[1] < 6 * looks[0]


def test_many_deletions_go_through_the_sources_once(tmp_path, monkeypatch):
    cube = filled(open_store(str(tmp_path)), 60, 2)
    sources = Passes(cube.record.sources)
    with cube.transaction("delete") as tx:
        monkeypatch.setattr(Version, "__setattr__", object.__setattr__)
        tx._base.sources = sources
        for one in cube.record.slices[:40]:
            tx.delete(one.ticks)
        assert sources.passes <= 1
    gone = open_cube(open_store(str(tmp_path)), "closed").record.deletions
    assert [one.sources for one in gone] == [
        tuple(record.id for record in cube.record.granules[one.ticks]) for one in gone
    ]


def test_behind_a_network_the_documents_are_asked_for_together(tmp_path):
    filled(open_store(str(tmp_path)), 60, 3)
    store = FarStore(open_store(str(tmp_path)))
    cube = open_cube(store, "closed")
    going = len(expiries(cube, POLICY, NOW))
    store.expect("manifest/slices/", going)
    found = expiries(cube, POLICY, NOW)
    assert store.asked_together
    store.expect("manifest/slices/", going)
    assert delete_expired(cube, found) == going
    assert 3 < going <= 32
    assert store.asked_together
