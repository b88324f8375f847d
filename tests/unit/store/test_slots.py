"""Slots of slices: one by one in a folder, some at a time behind a network."""

import numpy as np
import pytest

from datacube.store.create import create_cube
from datacube.store.cube import open_cube
from datacube.store.history import read_head, read_version
from datacube.store.slots import Slots
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.clock import Clock
from tests.cubes import make_cube, make_description, read_level, slice_values
from tests.stores import FarStore

DAY = 86_400_000


@pytest.fixture
def near(tmp_path):
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def far(near):
    return FarStore(near)


def slots_of(store, clock):
    head = read_head(store, "closed")
    return Slots(store, head, read_version(store, "closed", head.manifest), clock)


def numbers(keys):
    return [int(key.rpartition("/")[2]) for key in keys]


def test_more_are_claimed_at_a_time_the_quicker_they_are_used(far, near):
    make_cube(near, times=("2020-01-01", "2020-01-02"))
    clock = Clock()
    slots = slots_of(far, clock)
    slots.coming = 12
    claimed = []
    for turn in range(12):
        clock.now += 100 if turn == 7 else 1
        assert slots.take().number == 2 + turn
        claimed.append(len(far.claims))
    assert claimed == [1, 3, 3, 7, 7, 7, 7, 9, 9, 12, 12, 12]
    assert sorted(numbers(far.claims)) == list(range(2, 14))
    slots.release()
    assert slots_of(far, clock).take().number == 2


def test_no_more_are_claimed_than_slices_are_to_come(far, near):
    make_cube(near)
    slots = slots_of(far, Clock())
    slots.coming = 4
    assert [slots.take().number for _ in range(4)] == [1, 2, 3, 4]
    assert len(far.claims) == 4
    assert [slots.take().number for _ in range(2)] == [5, 6]
    assert len(far.claims) == 6


def test_slots_of_other_writers_are_passed_over(far, near):
    make_cube(near)
    other, slots = slots_of(near, Clock()), slots_of(far, Clock())
    slots.coming = 10
    assert slots.take().number == 1
    assert other.take().number == 2
    assert [slots.take().number for _ in range(4)] == [3, 4, 5, 6]


def test_what_was_committed_meanwhile_is_not_used(far, near):
    cube = make_cube(near)
    slots = slots_of(far, Clock())
    slots.coming = 10
    first = slots.take()
    first.claim.release()
    for day in range(2):
        with transaction(near, "closed", "other") as tx:
            values = slice_values(cube.description, day)
            tx.write_slice(int(cube.record.slices[0].ticks) + (day + 1) * DAY, values)
    assert [slots.take().number for _ in range(3)] == [3, 4, 5]


def test_a_slot_that_is_given_back_is_the_next(far, near):
    make_cube(near)
    slots = slots_of(far, Clock())
    slots.coming = 5
    slots.take()
    second = slots.take()
    slots.give_back(second)
    assert slots.take() is second


def test_slices_and_documents_are_put_at_the_same_time(far, near):
    description = make_description(width=64, height=64)
    far.expect("zarr.json$", 4)
    create_cube(far, description)
    assert far.asked_together
    far.expect("/manifest/slices/", 4)
    with transaction(far, "closed", "four days") as tx:
        tx.expect(4)
        for day in range(4):
            tx.write_slice(day * DAY, slice_values(description, day))
    assert far.asked_together
    cube = open_cube(near, "closed")
    for day in range(4):
        assert np.array_equal(read_level(cube, "v", day), slice_values(description, day)["v"])


def test_a_time_that_is_written_twice_at_once_has_the_later_values(far, near):
    description = make_description(width=64, height=64)
    create_cube(far, description)
    with transaction(far, "closed", "twice") as tx:
        for day in (0, 3):
            tx.write_slice(0, slice_values(description, day))
    cube = open_cube(near, "closed")
    assert np.array_equal(read_level(cube, "v", 0), slice_values(description, 3)["v"])
