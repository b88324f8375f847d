"""Streams of coverages: the values of the whole, each chunk read once, none that is not asked."""

import io
import re
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine.bandmap import BandMap
from datacube.engine.bands import row_bands
from datacube.engine.context import make_context
from datacube.engine.coverage import find_group, get_coverage, plan_coverage
from datacube.engine.coverage_stream import is_large, stream_coverage
from datacube.engine.resampled import sampling
from datacube.engine.series import SeriesWindow
from datacube.errors import InvalidScaling, RequestTooLarge, StorageError
from datacube.formats import npy
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.query import (
    Aggregate,
    CoverageQuery,
    ScaleFactor,
    ScaleSize,
    Slice,
    Trim,
)
from datacube.slicing.cells import PixelMap, SeparableMap
from datacube.slicing.level import map_on_level
from datacube.store.layout import chunk_key
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore

DAYS = tuple(f"2020-01-{day:02d}" for day in range(1, 8))
LAST = Slice("t", "latest")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("store"))))
    chunks = {"x": 64, "y": 32}
    make_cube(store, "globe", width=360, height=180, times=DAYS, chunks=chunks)
    make_cube(store, "south_up", width=360, height=180, flip_y=True, chunks=chunks)
    levels = IrregularAxis("depth", np.array([0.5, 10.0, 20.0]), "m", "depth")
    runs = IndexAxis("scenario", 2, labels=("a1b", "e1"))
    fields = (Field("u", "int32"), Field("v", "int32", nil=-1))
    make_cube(store, "deep", times=DAYS, axes=(levels, runs), fields=fields)
    tall = Field("v", "int16", nil=-32768)
    make_cube(store, "tall", width=2000, height=3000, times=None, fields=(tall,), formula=_tall)
    return store


def _tall(t, k, f, y, x):
    del t, k, f
    return (7 * y + x) % 30_011


@pytest.fixture
def context(store):
    return make_context(store, Config())


BOX = (LAST, Trim("Lat", 40.0, 50.0), Trim("Long", 0.0, 10.0))
TURNED = CoverageQuery("globe", BOX, output_crs=Crs.parse("EPSG:3035"))
WIDE = replace(TURNED, scaling=ScaleSize(1030, 1040))
QUERIES = {
    "trims": CoverageQuery("globe", (Trim("Lat", 40.0, 50.0), Trim("Long", 10.0, 12.0))),
    "over the seam": CoverageQuery("globe", (Trim("Long", 170.0, -170.0), LAST)),
    "south up": CoverageQuery("south_up", (Trim("Lat", -50.0, 81.0),)),
    "one cell": CoverageQuery("globe", (Slice("Lat", 3.0), Slice("Long", 4.0))),
    "all axes": CoverageQuery("deep", (Trim("t", None, None),)),
    "some axes": CoverageQuery("deep", (Slice("depth", 10.0), LAST), ("v", "u")),
    "coarser": CoverageQuery("globe", (LAST,), scaling=ScaleFactor(0.3)),
    "finer": CoverageQuery("globe", scaling=ScaleSize(500, 400)),
    "between cells": CoverageQuery(
        "globe", (LAST,), scaling=ScaleFactor(2.5), interpolation="bilinear"
    ),
    "over cells": CoverageQuery(
        "globe", (LAST,), scaling=ScaleFactor(0.4), interpolation="average"
    ),
    "a mean": CoverageQuery("globe", aggregate=Aggregate(("time",), ("mean",))),
    "means": CoverageQuery("globe", aggregate=Aggregate(("time",), ("max",), "P3D")),
    "a median": CoverageQuery("deep", aggregate=Aggregate(("time",), ("median",))),
    "windows": CoverageQuery("globe", aggregate=Aggregate((), ("sum", "count"), window="2")),
    "over depth": CoverageQuery("deep", aggregate=Aggregate(("depth", "time"), ("std", "count"))),
    "tall": CoverageQuery("tall"),
    "turned": TURNED,
    "turned between cells": replace(TURNED, interpolation="bilinear"),
    "turned and large": WIDE,
    "turned, large and between cells": replace(WIDE, interpolation="bilinear"),
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("upward", [False, True])
def test_the_parts_are_the_whole(context, name, upward):
    query = QUERIES[name]
    whole, stream = get_coverage(context, query), stream_coverage(context, query)
    assert stream.notes == whole.notes
    assert stream.description.domain.shape == whole.description.domain.shape
    rows = [row for band in stream.bands for row in range(band.start, band.stop)]
    assert rows == list(range(whole.description.domain.grid.shape[0]))
    blocks = stream.by_field(upward=upward)
    for block in whole.blocks.values():
        for place in np.ndindex(block.data.shape[:-2]):
            parts = list(islice(blocks, len(stream.bands)))[:: -1 if upward else 1]
            shape = (-1, block.data.shape[-1])
            data = np.concatenate([part.data.reshape(shape) for part in parts])
            valid = np.concatenate([part.valid.reshape(shape) for part in parts])
            assert np.array_equal(valid, block.valid[place])
            assert data.dtype == block.data.dtype
            assert np.array_equal(data[valid], block.data[place][valid])
            assert {part.field for part in parts} == {block.field}
            top = parts[0].domain.grid.bbox
            assert top.left == pytest.approx(block.domain.grid.bbox.left)
    assert next(blocks, None) is None


def test_places_come_with_all_their_fields(context):
    stream = stream_coverage(context, QUERIES["all axes"])
    names = [block.field.name for block in stream.by_place()]
    assert names == ["u", "v"] * (7 * 3 * 2)


def test_every_chunk_is_read_once_and_none_before_it_is_wanted(context, store):
    query = CoverageQuery("tall")
    store.reset()
    stream = stream_coverage(context, query)
    made = npy.stream(stream, {})
    assert store.chunks_read == 0
    array = np.load(io.BytesIO(b"".join(made.pieces)))
    assert store.chunks_read == plan_coverage(context, query).chunks == 6 * 4
    assert np.array_equal(array, _tall(0, 0, 0, np.arange(3000)[:, None], np.arange(2000)))


def test_a_stream_that_is_closed_reads_no_further(context, store):
    store.reset()
    blocks = stream_coverage(context, CoverageQuery("globe", (Trim("x", -180.0, 0.0),))).by_field()
    next(blocks)
    blocks.close()
    context.steps.shutdown(wait=True)
    assert 0 < store.chunks_read <= 2 * (1 + 6 + 1) * 3 * 6
    assert store.chunks_read < plan_coverage(context, CoverageQuery("globe")).chunks


def test_a_damaged_chunk_ends_the_stream_with_its_name(tmp_path):
    store = open_store(str(tmp_path))
    tall = Field("v", "int16", nil=-32768)
    make_cube(store, "tall", width=2000, height=9000, times=None, fields=(tall,), formula=_tall)
    store.put(chunk_key("tall", 0, "v", (17, 3)), b"damaged")
    blocks = stream_coverage(make_context(store, Config()), CoverageQuery("tall")).by_field()
    assert next(blocks).valid.all()
    with pytest.raises(StorageError, match="chunk 17/3"):
        list(blocks)


def test_what_is_large_depends_on_the_limits(context):
    plan = replace(plan_coverage(context, CoverageQuery("tall")), series=(None,))
    small, large = (Field("v", "int8"),), (Field("v", "float64"),)  # of 6 million cells
    assert not is_large(Limits(), plan, small)
    assert is_large(Limits(max_coverage_bytes=1 << 20), plan, small)
    assert is_large(Limits(), plan, large)
    times = SeriesWindow(slice(0, 9), slice(0, 9), slice(0, 9), 1, 1)
    assert not is_large(Limits(), replace(plan, series=(times,)), large)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "average"])
def test_positions_of_many_cells_are_found_band_by_band(context, method):
    query = replace(WIDE, interpolation=method)
    plan, cube = plan_coverage(context, query), context.catalog.cube("globe")
    assert isinstance(plan.cells, BandMap)
    assert len(list(plan.cells.bands)) == 2
    target, level = plan.cells.target, plan.cells.level
    cells = map_on_level(cube.description.levels, level, target)
    how = None if method == "nearest" else sampling(cube, target, method, level)
    at_once = replace(plan, cells=cells, sampling=how)
    groups = tuple(pick.groups[0] for pick in plan.picks)
    ((data, valid),) = find_group(context, cube, [0], at_once, groups)
    found = next(iter(get_coverage(context, query).blocks.values()))
    np.testing.assert_array_equal(found.valid.reshape(valid.shape), valid)
    np.testing.assert_array_equal(found.data.reshape(data.shape)[valid], data[valid])
    assert valid.any()


def test_what_is_mapped_is_refused_by_its_size_before_it_is(context):
    with pytest.raises(RequestTooLarge, match="limit"):
        get_coverage(context, replace(TURNED, scaling=ScaleSize(100_000, 300_000)))
    with pytest.raises(InvalidScaling, match="too long"):
        plan_coverage(context, replace(TURNED, scaling=ScaleSize(500_000, 10)))
    with pytest.raises(RequestTooLarge, match="at most 1,000,000 cells"):
        plan_coverage(context, replace(TURNED, scaling=ScaleSize(10**9, 10)))


def test_a_stream_has_its_own_limit(store):
    limits = Limits(max_coverage_bytes=1_000_000, max_stream_bytes=10_000_000)
    context = make_context(store, Config(ServerSettings(limits=limits)))
    assert sum(block.data.size for block in stream_coverage(context, QUERIES["a mean"]).by_field())
    with pytest.raises(RequestTooLarge, match=r"12\.\d MB; the limit is 10\.0 MB") as refused:
        stream_coverage(context, CoverageQuery("tall"))
    size = re.search(r"scaled to at most (\d+) x (\d+)", refused.value.message)
    assert size is not None
    stream_coverage(context, CoverageQuery("tall", scaling=ScaleSize(int(size[1]), int(size[2]))))


def test_a_refusal_names_what_would_be_streamed(store):
    limits = Limits(max_coverage_bytes=1_000_000, max_stream_bytes=20_000_000)
    context = make_context(store, Config(ServerSettings(limits=limits)))
    with pytest.raises(RequestTooLarge, match="or image/tiff or text/csv, which are sent while"):
        get_coverage(context, CoverageQuery("tall"), ("image/tiff", "text/csv"))
    larger = CoverageQuery("tall", scaling=ScaleFactor(3.0))
    with pytest.raises(RequestTooLarge) as refused:
        get_coverage(context, larger, ("image/tiff",))
    assert "image/tiff" not in refused.value.message


@given(
    st.integers(1, 3000), st.integers(1, 40_000), st.integers(1, 600), st.integers(0, 500),
    st.sampled_from([1, 2, 8]), st.floats(0.05, 4),
)  # fmt: skip
def test_bands_are_small_and_cut_between_chunks(height, width, chunk, first, itemsize, step):
    rows = (first + np.arange(height) * step).astype(np.intp)
    bands = list(row_bands(SeparableMap(rows, np.zeros(width, np.intp)), chunk, itemsize))
    assert bands[0].start == 0
    assert bands[-1].stop == height
    assert all(low.stop == high.start for low, high in pairwise(bands))
    row_bytes = width * itemsize
    for low, high in pairwise(bands):
        size = (low.stop - low.start) * row_bytes
        assert size <= max(48 << 20, row_bytes)
        assert rows[low.stop - 1] // chunk != rows[high.start] // chunk or size > 24 << 20


def test_bands_of_pixel_maps_follow_the_chunks_height():
    cells = np.zeros((100, 20_000), np.intp)
    bands = list(row_bands(PixelMap(cells, cells), 32, 4))
    assert [band.start for band in bands] == [0, 32, 64]
