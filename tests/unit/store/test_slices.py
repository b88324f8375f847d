"""Many slices as columns are the same as so many objects."""

import pytest

from datacube.store.slices import Slice, Slices, load_slices

COUNT = 2000


def columns(bounds):
    return {
        "ticks": list(range(0, 10 * COUNT, 10)),
        "slots": list(range(COUNT))[::-1],
        "names": [f"{slot:08d}-abcdef" for slot in range(COUNT)],
        "bounds": bounds,
        "layouts": [n % 2 for n in range(COUNT)],
    }


@pytest.mark.parametrize(
    ("bounds", "kind"),
    [
        ([None] * COUNT, Slices),
        ([[n, n + 1] for n in range(COUNT)], Slices),
        ([None, *([n, n + 1] for n in range(1, COUNT))], tuple),
    ],
)
def test_they_are_what_was_written(bounds, kind):
    found = load_slices(columns(bounds))
    expected = [
        Slice(10 * n, COUNT - 1 - n, f"{n:08d}-abcdef", pair and tuple(pair), n % 2)
        for n, pair in enumerate(bounds)
    ]
    assert isinstance(found, kind)
    assert len(found) == COUNT
    assert list(found) == expected
    assert [found[0], found[-1], found[7]] == [expected[0], expected[-1], expected[7]]
    assert found[3:9:2] == tuple(expected[3:9:2])
    with pytest.raises(IndexError):
        found[COUNT]


def test_without_time_there_is_one():
    table = {"ticks": [None], "slots": [0], "names": ["00000000-ab"], "bounds": [None]}
    assert load_slices(table) == (Slice(None, 0, "00000000-ab"),)


@pytest.mark.parametrize("count", [5, COUNT])
def test_columns_of_other_lengths_are_refused(count):
    table = {name: column[:count] for name, column in columns([None] * COUNT).items()}
    with pytest.raises(ValueError, match=r"length|shorter|longer"):
        load_slices({**table, "slots": table["slots"][1:]})
