"""What a transaction may change, on each kind of store: every value is that of a formula."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, override

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.errors import ConflictError, InvalidSubset, InvalidTime
from datacube.model.axis import IndexAxis
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.fields import Category, Field
from datacube.model.grid import RectifiedGrid
from datacube.store.compact import rollback
from datacube.store.create import create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.maintain import verify
from datacube.store.manifest import SourceRecord
from datacube.store.objects import ObjectStore
from datacube.store.timeseries import read_series
from datacube.store.url import open_store
from tests.cubes import (
    add_slices,
    closed_form,
    make_cube,
    make_description,
    read_level,
    slice_values,
    storage_of,
    ticks_of,
    time_of,
)

OPTIONS: dict[str, Any] = {"width": 40, "height": 20, "chunks": {"x": 8, "y": 8}}
NEAR_REAL_TIME, FINAL = 0, 1


def days(cube: CubeStore) -> list[int]:
    return [int(iso[8:10]) for iso in time_of(cube).iso]


def day_ticks(day: int) -> int:
    return ticks_of(f"2020-01-{day:02d}")


def values_of(cube: CubeStore) -> dict[tuple[str, int, int], bytes]:
    """Every value of every field, level and time."""
    return {
        (name, level.number, t): read_level(cube, name, t, level.number).tobytes()
        for name in cube.description.range_type.names
        for level in cube.description.levels
        for t in range(time_of(cube).size)
    }


def grid_of(left: int, top: int, width: int, height: int) -> RectifiedGrid:
    """A grid of one-degree cells whose first is so many columns and rows from 0 E, 50 N."""
    box = BoundingBox(left, 50 - top - height, left + width, 50 - top, Crs.parse("EPSG:4326"))
    return RectifiedGrid.from_bbox(box, width, height)


NOTHING = {"v": -999, "n": -999, "c": 255}
FIELDS = (
    Field("v", "int32", nil=-999),
    Field("n", "int32", nil=-999, overview="nearest"),
    Field("c", "uint8", categories=(Category(1, "one"),), nil=255, overview="mode"),
)


def growing(t, k, f, y, x):
    return closed_form(t, 0, 0, y, x) % (7 if f == 2 else 100_000)


def on_grid(grid: RectifiedGrid, name: str) -> CoverageDescription:
    made = make_description(name, fields=FIELDS)
    return replace(made, domain=replace(made.domain, grid=grid))


def padded(part: dict[str, Any], grid: RectifiedGrid, top: int, left: int) -> dict[str, Any]:
    """Values on a larger grid, no data around them."""
    found = {name: np.full(grid.shape, NOTHING[name], one.dtype) for name, one in part.items()}
    for name, one in part.items():
        height, width = one.shape
        found[name][top : top + height, left : left + width] = one
    return found


def make_series(store: ObjectStore, description: CoverageDescription, slices: list) -> None:
    """A cube of these slices, one for each day, with a series copy."""
    chunks = {"x": 8, "y": 8}
    create_cube(store, description, chunks=chunks, series=3, storage=storage_of(store))
    with open_cube(store, description.id).transaction("all") as tx:
        for day, values in enumerate(slices, start=1):
            tx.write_slice(day_ticks(day), values)


class TransactionContract:
    """Inherited by the tests of each object store; ``store`` is an empty one."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        raise NotImplementedError

    def test_insertion_between(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-03"), **OPTIONS)
        with cube.transaction("late") as tx:
            tx.write_slice(day_ticks(2), slice_values(cube.description, 8))
        cube = cube.refreshed()
        assert days(cube) == [1, 2, 3]
        assert [int(read_level(cube, "v", t)[0, 0]) for t in range(3)] == [0, 8000, 1000]
        assert verify(cube) == []

    def test_a_final_slice_replaces_and_a_late_draft_does_not(self, store):
        cube = make_cube(store, times=(), **OPTIONS)
        draft, final = SourceRecord("draft"), SourceRecord("final")
        for first, second in (((5, draft, 0), (6, final, 1)), ((6, final, 1), (5, draft, 0))):
            for t, source, revision in (first, second):
                with cube.transaction(source.id) as tx:
                    values = slice_values(cube.description, t)
                    tx.write_slice(day_ticks(1), values, source, revision=revision)
            found = open_cube(store, "closed")
            assert int(read_level(found, "v")[0, 0]) == 6000
            assert set(found.sources) == {"draft", "final"}
            assert verify(found) == []
            with found.transaction("start again") as tx:
                assert tx.revisions(day_ticks(1)) == {"v": 1}
                tx.delete(day_ticks(1))

    def test_revisions_are_of_fields(self, store):
        fields = (Field("a", "int32"), Field("b", "int32", nil=-1))
        cube = make_cube(store, times=(), fields=fields, **OPTIONS)
        blank = np.full((20, 40), -1, "int32")
        low, high = slice_values(cube.description, 1), slice_values(cube.description, 2)
        with cube.transaction("high a") as tx:
            tx.write_slice(0, {"a": high["a"]}, revision=2)
        with cube.transaction("low a and b") as tx:
            tx.write_slice(0, low, revision=1)
        cube = cube.refreshed()
        assert np.array_equal(read_level(cube, "a"), high["a"])
        assert np.array_equal(read_level(cube, "b"), low["b"])
        with cube.transaction("nothing but no data loses too") as tx:
            tx.write_slice(0, {"a": low["a"], "b": blank}, revision=1)
        cube = cube.refreshed()
        assert np.array_equal(read_level(cube, "a"), high["a"])
        assert np.array_equal(read_level(cube, "b"), blank)
        assert verify(cube) == []

    def test_the_same_values_again_are_no_version(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
        values = slice_values(cube.description, 1)
        with cube.transaction("again") as tx:
            tx.write_slice(day_ticks(2), values, SourceRecord("other"))
            assert tx.slices_written == 0
        assert cube.refreshed() is cube
        with cube.transaction("and one more") as tx:
            tx.write_slice(day_ticks(2), values, SourceRecord("other"))
            tx.write_slice(day_ticks(3), slice_values(cube.description, 2), SourceRecord("other"))
        cube = cube.refreshed()
        assert (cube.version, cube.record.in_order) == (3, True)  # no slot was lost
        assert cube.record.sources["other"][1] == (day_ticks(3),)
        with cube.transaction("as final") as tx:
            tx.write_slice(day_ticks(2), values, revision=1)
        assert cube.refreshed().record.slices[1].slot == 1
        with cube.transaction("late draft") as tx:
            tx.write_slice(day_ticks(2), slice_values(cube.description, 9))
        cube = cube.refreshed()
        assert int(read_level(cube, "v", 1)[0, 0]) == 1000
        assert verify(cube) == []

    def test_more_places_along_an_axis(self, store):
        scenario = IndexAxis("scenario", 1, labels=("a1b",))
        names = ("2020-01-01", "2020-01-02", "2020-01-03")
        cube = make_cube(store, times=names, axes=(scenario,), **OPTIONS)
        both = replace(scenario, size=2, labels=("a1b", "e1"))
        with cube.transaction("e1") as tx:
            tx.widen((both,))
            tx.write_slice(day_ticks(1), slice_values(tx.description, 5))
        wide = cube.refreshed()
        assert wide.description.domain.axes[1] == both
        assert wide.description.domain.shape[:2] == (3, 2)
        first, second = (read_level(wide, "v", t) for t in (0, 1))
        assert np.array_equal(first, slice_values(wide.description, 5)["v"])
        assert np.array_equal(second[:1], slice_values(cube.description, 1)["v"])
        assert (second[1] == np.iinfo("i4").min).all()
        assert verify(wide) == []
        assert np.array_equal(read_level(cube, "v", 0), slice_values(cube.description, 0)["v"])
        with (
            pytest.raises(InvalidSubset, match="does not begin with its places"),
            wide.transaction("other labels") as tx,
        ):
            tx.widen((replace(both, labels=("e1", "a1b")),))
        rollback(store, "closed", cube.version)
        with cube.refreshed().transaction("e1 again") as tx:
            tx.widen((both,))
        assert verify(cube.refreshed()) == []

    def test_deletion(self, store):
        cube = make_cube(
            store, times=("2020-01-01", "2020-01-02", "2020-01-03"), series=3, **OPTIONS
        )
        assert cube.series("v") is not None
        with cube.transaction("licence ended") as tx:
            tx.delete(day_ticks(2), "the licence ended")
            assert tx.revisions(day_ticks(2)) == {}
        cube = cube.refreshed()
        assert days(cube) == [1, 3]
        assert "2020-01-02" not in cube.sources
        (gone,) = cube.record.deletions
        assert (gone.ticks, gone.cause) == (day_ticks(2), "the licence ended")
        assert gone.sources == ("2020-01-02",)
        assert gone.bytes > 0
        known = cube.statistics("v")
        assert known is not None
        assert known.count == 2 * 40 * 20
        series = read_series(cube, "v", (), slice(0, 1), slice(0, 1))
        assert series[:, 0, 0].tolist() == [0, 2000]
        with pytest.raises(InvalidTime, match="has no time 2020-01-02"):
            self._delete(cube, 2)

    def _delete(self, cube, day):
        with cube.transaction("delete") as tx:
            tx.delete(day_ticks(day))

    def test_what_is_deleted_may_come_again(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
        self._delete(cube, 1)
        assert "2020-01-01" not in cube.refreshed().sources
        with cube.transaction("again") as tx:
            tx.write_slice(day_ticks(1), slice_values(cube.description, 4))
        cube = cube.refreshed()
        assert [int(read_level(cube, "v", t)[0, 0]) for t in (0, 1)] == [4000, 1000]

    def test_deletion_and_writing_race_for_the_same_time(self, store):
        cube = make_cube(store, **OPTIONS)

        def overtaken():
            with cube.transaction("outer") as outer:
                outer.delete(day_ticks(1))
                with cube.transaction("inner") as inner:
                    inner.write_slice(day_ticks(1), slice_values(cube.description, 3))

        with pytest.raises(ConflictError, match="2020-01-01"):
            overtaken()
        assert int(read_level(cube.refreshed(), "v")[0, 0]) == 3000

    def test_a_new_field(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-02"), series=2, **OPTIONS)
        more = Field("w", "float32", "K", nil=float("nan"))
        with cube.transaction("add w") as tx:
            tx.add_field(more)
            tx.add_field(more)
            values = np.full((20, 40), 7.5, "float32")
            tx.write_slice(day_ticks(2), {"w": values})
        cube = cube.refreshed()
        assert cube.description.range_type.names == ("v", "w")
        assert np.isnan(read_level(cube, "w", 0)).all()
        assert (read_level(cube, "w", 1) == 7.5).all()
        assert (read_level(cube, "w", 1, 1) == 7.5).all()
        for t in (0, 1):
            assert np.array_equal(read_level(cube, "v", t), slice_values(cube.description, t)["v"])
        assert read_series(cube, "w", (), slice(0, 1), slice(0, 1))[1, 0, 0] == 7.5
        assert verify(cube) == []
        add_slices(store, cube.description, ["2020-01-03"], first=2)
        assert days(cube.refreshed()) == [1, 2, 3]

    def test_another_field_of_the_same_name_is_refused(self, store):
        cube = make_cube(store, **OPTIONS)
        with pytest.raises(ConflictError, match="another field 'v'"), cube.transaction("v") as tx:
            tx.add_field(Field("v", "int16"))
        with pytest.raises(ValueError, match="reserved"), cube.transaction("t") as tx:
            tx.add_field(Field("time", "int16"))
        far = Field("w", "uint8", nil=-9999)
        with pytest.raises(ValueError, match="-9999, which"), cube.transaction("w") as tx:
            tx.add_field(far)
        assert cube.refreshed().version == cube.version

    def test_two_writers_add_fields(self, store):
        cube = make_cube(store, **OPTIONS)
        with cube.transaction("a") as first:
            first.add_field(Field("a", "int16"))
            with cube.transaction("b") as second:
                second.add_field(Field("b", "int16"))
        assert cube.refreshed().description.range_type.names == ("v", "b", "a")

        def differ():
            with cube.transaction("c") as first:
                first.add_field(Field("c", "int16"))
                with cube.transaction("c") as second:
                    second.add_field(Field("c", "int32"))

        with pytest.raises(ConflictError, match="field 'c'"):
            differ()

    @pytest.mark.parametrize(
        ("left", "top", "right", "bottom"), [(0, 0, 9, 5), (8, 16, 0, 0), (3, 1, 30, 7)]
    )
    def test_a_cube_that_grows_is_as_if_it_had_always_been_so(
        self, store, left, top, right, bottom
    ):
        small = grid_of(10, 10, 21, 19)
        large = grid_of(10 - left, 10 - top, 21 + left + right, 19 + top + bottom)
        parts = [slice_values(on_grid(small, "small"), t, growing) for t in range(3)]
        whole = [padded(part, large, top, left) for part in parts]
        make_series(store, on_grid(large, "large"), whole)
        make_series(store, on_grid(small, "small"), parts[:2])
        before = open_cube(store, "small")
        with before.transaction("grow") as tx:
            tx.grow(large)
            tx.write_slice(day_ticks(3), whole[2])
        grown, other = open_cube(store, "small"), open_cube(store, "large")
        assert values_of(grown) == values_of(other)
        assert verify(grown) == []
        assert grown.statistics("v") == other.statistics("v")
        copy = grown.series("v")
        assert copy is not None
        assert copy.times == 3
        series = read_series(grown, "n", (), slice(0, large.height), slice(0, large.width))
        assert np.array_equal(series, np.array([one["n"] for one in whole]))
        assert grown.record.plain == 3
        for t in (0, 1):  # the handle from before still reads its version
            assert np.array_equal(read_level(before, "v", t), parts[t]["v"])

    def test_a_grid_that_does_not_hold_the_cube_is_refused(self, store):
        cube = make_cube(store, bbox=(0, 0, 40, 20), **OPTIONS)
        for grid in (
            RectifiedGrid.from_bbox(BoundingBox(0, 0, 39, 20, Crs.parse("EPSG:4326")), 39, 20),
            RectifiedGrid.from_bbox(BoundingBox(-0.5, 0, 40, 20, Crs.parse("EPSG:4326")), 40, 20),
            RectifiedGrid.from_bbox(BoundingBox(0, 0, 40, 20, Crs.parse("OGC:CRS84")), 40, 20),
        ):
            with pytest.raises(InvalidSubset, match="cell on cell"), cube.transaction("g") as tx:
                tx.grow(grid)
        assert cube.refreshed() is cube

    def test_a_writer_whom_growth_overtakes_starts_again(self, store):
        cube = make_cube(store, bbox=(0, 0, 40, 20), **OPTIONS)
        wide = RectifiedGrid.from_bbox(BoundingBox(0, 0, 48, 20, Crs.parse("EPSG:4326")), 48, 20)

        def overtaken():
            with cube.transaction("outer") as outer:
                outer.write_slice(day_ticks(2), slice_values(cube.description, 1))
                with cube.transaction("inner") as inner:
                    inner.grow(wide)

        with pytest.raises(ConflictError, match="its grid"):
            overtaken()
        assert open_cube(store, "closed").description.domain.grid == wide
        assert verify(open_cube(store, "closed")) == []

    def test_a_shuffled_ingest_gives_the_same_cube(self, store):
        work = [(1, 0), (3, 1), (2, 0), (1, 1), (3, 0), (2, 0), (1, 0)]
        assert shuffled(store, "closed", work) == expected({1: 1, 2: 0, 3: 1})


type Work = list[tuple[int, int]]
"""(day, revision) in the order in which they come."""


def revised(t: int, revision: int) -> int:
    return t + 40 * revision


def shuffled(store: ObjectStore, cube_id: str, work: Work) -> dict[tuple[str, int, int], bytes]:
    """The values of a cube after slices have come in some order, each in its own commit."""
    cube = make_cube(store, cube_id, times=(), width=12, height=6, chunks={"x": 4, "y": 4})
    for day, revision in work:
        with cube.transaction(f"day {day}") as tx:
            values = slice_values(cube.description, revised(day, revision))
            source = SourceRecord(f"{day}-{revision}")
            tx.write_slice(day_ticks(day), values, source, revision=revision)
    found = open_cube(store, cube_id)
    assert verify(found) == []
    return values_of(found)


def expected(newest: dict[int, int]) -> dict[tuple[str, int, int], bytes]:
    """The values of a cube whose slices have come in order, each once."""
    with tempfile.TemporaryDirectory() as folder:
        return shuffled(open_store(folder), "closed", sorted(newest.items()))


class TestLocal(TransactionContract):
    @pytest.fixture
    @override
    def store(self, tmp_path: Path) -> ObjectStore:
        return open_store(str(tmp_path))


@pytest.mark.s3
class TestS3(TransactionContract):
    @pytest.fixture
    @override
    def store(self, s3_store: ObjectStore) -> ObjectStore:
        return s3_store


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from([NEAR_REAL_TIME, FINAL])),
        min_size=1,
        max_size=9,
    )
)
def test_slices_in_any_order_give_the_same_cube(work):
    newest: dict[int, int] = {}
    for day, revision in work:
        newest[day] = max(newest.get(day, 0), revision)
    with tempfile.TemporaryDirectory() as folder:
        assert shuffled(open_store(folder), "closed", work) == expected(newest)
