"""Descriptions, manifests and codecs: there and back without a bit lost."""

from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ZstdCodec

from datacube.errors import StorageError
from datacube.model.axis import IndexAxis, IrregularAxis, RegularAxis, TimeAxis
from datacube.model.fields import Category, Field
from datacube.store.codecs import ArrayCodec
from datacube.store.cube import open_cube
from datacube.store.document import dump_description, load_description
from datacube.store.layout import chunk_grid, chunk_sides, fill_of, make_levels
from datacube.store.url import open_store
from tests.cubes import make_cube, make_description, time_of

FIELDS = (
    Field("b", "uint16", "1", 0, 1e-4, -0.1, "Blue", "toa", (0.0, 0.3)),
    Field("a", "float64", nil=float("nan")),
    Field("c", "uint8", categories=(Category(1, "öde Fläche", "#ff0000"),), overview="mode"),
    Field("Z", "int8", overview="nearest", valid_range=(-1.5, 2.5)),
)
AXES = (
    IrregularAxis(
        "depth", np.array([0.1, 0.30000000000000004]), "m", "Depth", np.array([[0, 1.0], [1, 2]])
    ),
    RegularAxis("h", 1.0, -0.1, 3, "m", "Height"),
    IndexAxis("scenario", 2, "", "Scenario", ("a1b", "e1")),
)


@given(
    x0=st.floats(-200, 200),
    dx=st.floats(1e-5, 3),
    y0=st.floats(-80, 80),
    dy=st.floats(-3, -1e-5),
    width=st.integers(1, 50),
    height=st.integers(1, 50),
)
def test_grids_are_exact(x0, dx, y0, dy, width, height):
    made = make_description(width=width, height=height, transform=(x0, dx, y0, dy), timed=False)
    assert load_description(dump_description(made)) == made


@pytest.mark.parametrize("crs", ["EPSG:4326", "OGC:CRS84", "EPSG:32629", "EPSG:3413", "EPSG:3035"])
def test_everything_of_a_description_comes_back(tmp_path, crs):
    options = (
        {"bbox": (-10, 40, 10, 50)}
        if crs in {"EPSG:4326", "OGC:CRS84"}
        else {"transform": (-3e6 + 0.1, 50000.3, 2e6, 25000.7)}
    )
    cube = make_cube(
        open_store(str(tmp_path)),
        crs=crs,
        axes=AXES,
        fields=FIELDS,
        title="Title",
        abstract="Long\ntext with ü",
        attribution="© Somebody",
        licence="CC0",
        formula=lambda _t, _k, _f, y, x: (y + x) % 100,
        **options,
    )
    made = make_description(
        crs=crs,
        axes=AXES,
        fields=FIELDS,
        title="Title",
        abstract="Long\ntext with ü",
        attribution="© Somebody",
        licence="CC0",
        **options,
    )
    got = open_cube(cube.store, "closed").description
    assert repr(got.range_type) == repr(made.range_type)
    assert got.domain.grid == made.domain.grid
    assert (got.title, got.abstract, got.attribution, got.licence) == (
        "Title",
        "Long\ntext with ü",
        "© Somebody",
        "CC0",
    )
    assert [repr(axis) for axis in got.domain.axes[1:]] == [repr(axis) for axis in AXES]
    assert got.levels == make_levels(made.domain.rectified, (10, 20))
    assert got.snapshot == cube.snapshot


def test_time_stands_first_whatever_the_source_had(tmp_path):
    from dataclasses import replace

    from datacube.model.domain import DomainSet
    from datacube.store.create import create_cube

    made = make_description(timed=False)
    time = TimeAxis("time", np.array([5, 9]), "noleap")
    made = replace(made, domain=DomainSet(made.domain.grid, (AXES[1], time)))
    cube = create_cube(open_store(str(tmp_path)), made)
    assert [axis.name for axis in cube.description.domain.axes] == ["time", "h"]
    assert time_of(cube).calendar == "noleap"
    assert time_of(cube).size == 0


def test_damaged_descriptions_are_refused():
    document = dump_description(make_description())
    with pytest.raises(StorageError, match="description cannot be read"):
        load_description({**document, "axes": [{"type": "spiral"}]})
    del document["crs"]
    with pytest.raises(StorageError, match="description cannot be read"):
        load_description(document)


@pytest.mark.parametrize(
    ("field", "fill"),
    [
        (Field("v", "int16", nil=-9999), -9999),
        (Field("v", "uint16", nil=0), 0),
        (Field("v", "int32"), -(2**31)),
        (Field("v", "uint8"), 255),
    ],
)
def test_fill_values(field, fill):
    assert fill_of(field) == fill


def test_levels_end_at_one_chunk():
    grid = make_description(width=10980, height=10980, bbox=(0, 0, 1, 1)).domain.rectified
    assert [level.grid.width for level in make_levels(grid, (512, 512))] == [
        10980,
        5490,
        2745,
        1373,
        687,
        344,
    ]
    small = make_description().domain.rectified
    assert len(make_levels(small, (10, 20))) == 1


CHAINS: dict[str, list[Any]] = {
    "blosc lz4 shuffle": [BytesCodec(), BloscCodec(cname="lz4", shuffle="shuffle", typesize=4)],
    "blosc zstd bitshuffle": [
        BytesCodec(),
        BloscCodec(cname="zstd", shuffle="bitshuffle", typesize=4),
    ],
    "zstd": [BytesCodec(), ZstdCodec(level=3)],
    "gzip crc32c": [BytesCodec(), GzipCodec(), Crc32cCodec()],
    "big": [BytesCodec(endian="big"), ZstdCodec(level=1)],
    "bytes": [BytesCodec()],
}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_codecs_agree_with_zarr(tmp_path, chain, dtype):
    serializer, *compressors = CHAINS[chain]
    array = zarr.create_array(
        str(tmp_path),
        shape=(8, 6),
        chunks=(8, 6),
        dtype=dtype,
        fill_value=0,
        serializer=serializer,
        compressors=compressors,
        filters=None,
    )
    values = np.arange(48).reshape(8, 6).astype(dtype)
    array[:] = values
    codec = ArrayCodec.parse(array.metadata.to_dict())
    stored = (tmp_path / "c/0/0").read_bytes()
    assert np.array_equal(codec.decode(stored), values)
    (tmp_path / "c/0/0").write_bytes(codec.encode(values + 1))
    assert np.array_equal(zarr.open_array(str(tmp_path))[:], values + 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"codecs": [{"name": "bytes"}, {"name": "pcodec"}]}, "'pcodec' is not known"),
        ({"codecs": [{"name": "transpose"}]}, "transposition None is none"),
        ({"chunk_grid": {"name": "rectilinear"}}, "'rectilinear' is not known"),
    ],
)
def test_unknown_codecs_are_refused_in_words(change, says):
    metadata = {
        "data_type": "int16",
        "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
    }
    with pytest.raises(StorageError, match=says):
        ArrayCodec.parse({**metadata, **change})


def test_bytes_of_another_size_do_not_decode():
    metadata = {
        "data_type": "int16",
        "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "codecs": [{"name": "bytes"}, {"name": "gzip", "configuration": {"level": 1}}],
    }
    codec = ArrayCodec.parse(metadata)
    with pytest.raises(StorageError, match="cannot be decoded"):
        codec.decode(b"no gzip")
    with pytest.raises(StorageError, match="decodes to 6 bytes"):
        codec.decode(
            ArrayCodec.parse(
                {
                    **metadata,
                    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3]}},
                }
            ).encode(np.zeros(3, "int16"))
        )


@given(st.integers(1, 8000), st.integers(1, 8000), st.data())
def test_a_window_of_two_tiles_touches_four_chunks_at_most(width, height, data):
    grid = make_description(width=width, height=height, timed=False).domain.rectified
    sides = chunk_sides(grid, None)
    levels = make_levels(grid, sides)
    assert max(levels[-1].grid.shape) <= 512
    level = data.draw(st.sampled_from(levels))
    chunks = chunk_grid(level, sides)
    row = data.draw(st.integers(0, chunks.height - 1))
    column = data.draw(st.integers(0, chunks.width - 1))
    bottom, right = min(row + 511, chunks.height - 1), min(column + 511, chunks.width - 1)
    rows = bottom // chunks.chunk_height - row // chunks.chunk_height + 1
    columns = right // chunks.chunk_width - column // chunks.chunk_width + 1
    assert rows * columns <= 4
