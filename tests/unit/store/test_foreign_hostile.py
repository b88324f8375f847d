"""Metadata and chunks that lie: left out in words, within bounds, no harm to neighbours."""

import bz2
import gzip
import json
import logging
import lzma
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs import LZ4, Blosc, Zstd

from datacube.errors import StorageError
from datacube.store.cache import ChunkCache
from datacube.store.codecs import undone
from datacube.store.compression import byte_codec, known_codecs
from datacube.store.foreign_group import open_group
from datacube.store.url import open_store
from tests.unit.store.zarrs import Group, check_values, serve, shades

DIMS = ["time", "lat", "lon"]
HUGE = 1 << 62


def deep(levels):
    """Shards in shards."""
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
    for _ in range(levels):
        options = {"chunk_shape": [1, 9, 14], "codecs": codecs, "index_codecs": [{"name": "bytes"}]}
        codecs = [{"name": "sharding_indexed", "configuration": options}]
    return codecs


def sharding(**options):
    inner = [{"name": "bytes", "configuration": {"endian": "little"}}]
    said = {"chunk_shape": [1, 9, 14], "codecs": inner, "index_codecs": [{"name": "bytes"}]}
    return [{"name": "sharding_indexed", "configuration": {**said, **options}}]


def chunked(*shape):
    return {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(shape)}}}


ARRAYS = {
    "huge shape": ({"shape": [HUGE] * 3}, "cannot be"),
    "long axes": ({"shape": [5, 1 << 39, 1 << 39]}, "cells cannot be served"),
    "negative shape": ({"shape": [-5, 9, 14]}, "cannot be"),
    "shape of words": ({"shape": ["a", "b", "c"]}, "is none"),
    "shape of truths": ({"shape": [True, 9, 14]}, "is none"),
    "no shape": ({"shape": None}, "is none"),
    "negative chunks": (chunked(-1, 9, 14), "cannot be"),
    "chunks of zero": (chunked(0, 9, 14), "cannot be"),
    "chunks of another number": (chunked(9, 14), "is none"),
    "huge chunks": (chunked(1 << 21, 9, 14), "MB each; up to 256 MB"),
    "enormous chunks": (chunked(1 << 40, 1 << 40, 1 << 40), "MB each; up to 256 MB"),
    "odd grid": ({"chunk_grid": {"name": "rectilinear"}}, "'rectilinear' is not known"),
    "no grid": ({"chunk_grid": 7}, "malformed"),
    "deep shards": ({"codecs": deep(6)}, "more than 3 deep"),
    "very deep shards": ({"codecs": deep(300)}, "more than 3 deep"),
    "shards that do not part": ({"codecs": sharding(chunk_shape=[1, 4, 5])}, "cannot be parted"),
    "shards of nothing": ({"codecs": sharding(chunk_shape=[0, 9, 14])}, "cannot be parted"),
    "endless shards": (
        chunked(1 << 30, 9, 14) | {"codecs": sharding()},
        "cannot be parted",
    ),
    "index compressed": (
        {"codecs": sharding(index_codecs=[{"name": "bytes"}, {"name": "gzip"}])},
        "its length must be fixed",
    ),
    "index nowhere": ({"codecs": sharding(index_location="/etc/passwd")}, "at start or end"),
    "many codecs": ({"codecs": [{"name": "bytes"}, *[{"name": "crc32c"}] * 99]}, "in a row"),
    "no codecs": ({"codecs": []}, "no codec turns"),
    "codecs of words": ({"codecs": ["bytes"]}, "malformed"),
    "pickle": ({"codecs": [{"name": "bytes"}, {"name": "numcodecs.pickle"}]}, "is not known"),
    "objects": (
        {
            "codecs": [
                {"name": "numcodecs.astype", "configuration": {"encode_dtype": "O"}},
                {"name": "bytes"},
            ]
        },
        "is none",
    ),
    "odd transposition": (
        {"codecs": [{"name": "transpose", "configuration": {"order": [0, 0, 9]}}]},
        "none of 3 dimensions",
    ),
    "text fill": ({"fill_value": "no number"}, "malformed"),
    "fill too large": ({"fill_value": 1e9}, "malformed"),
    "fill of lists": ({"fill_value": [[[]]]}, "is no number"),
    "odd type": ({"data_type": "uint9"}, "malformed"),
    "type of objects": ({"data_type": "object"}, "type object"),
    "structured": ({"data_type": {"name": "structured", "configuration": {}}}, "malformed"),
    "odd key": ({"chunk_key_encoding": {"name": "../.."}}, "is not known"),
    "odd separator": (
        {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "/../"}}},
        "is not known",
    ),
    "transformers": ({"storage_transformers": [{"name": "x"}]}, "storage transformers"),
    "no names": ({"dimension_names": None}, "have no names"),
    "one name twice": ({"dimension_names": ["lat", "lat", "lon"]}, "one of them twice"),
    "other lengths": ({"shape": [5, 90, 14]}, "'lat' have 9 values for 90 cells"),
}
ATTRIBUTES = {
    "scale NaN": ({"scale_factor": float("nan")}, "no number to pack with"),
    "scale zero": ({"scale_factor": 0}, "no number to pack with"),
    "scale text": ({"scale_factor": "large"}, "odd metadata"),
    "scale list": ({"scale_factor": [1, 2]}, "no number to pack with"),
    "offset infinite": ({"add_offset": float("inf")}, "no number to pack with"),
}


def spoiled(folder, changes=None, attributes=None):
    """A group whose array says something else than it is."""
    group = Group(folder).lonlat().days()
    group.array("v", DIMS, shades()[:, 0].astype("int16"), chunks=(1, 9, 14))
    path = folder / "v/zarr.json"
    document = json.loads(path.read_bytes())
    document |= changes or {}
    document["attributes"] = {**document["attributes"], **(attributes or {})}
    path.write_text(json.dumps(document))


def reasons_of(tmp_path):
    group = open_group(open_store(str(tmp_path)), "bad", ChunkCache())
    assert group.cubes == ()
    return " ".join(group.reasons)


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_lie_are_left_out_in_words(tmp_path, case):
    changes, says = ARRAYS[case]
    spoiled(tmp_path / "bad", changes)
    tracemalloc.start()
    reason = reasons_of(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20
    assert says in reason


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_attributes_that_lie_are_left_out_in_words(tmp_path, case):
    changes, says = ATTRIBUTES[case]
    spoiled(tmp_path / "bad", attributes=changes)
    assert says in reasons_of(tmp_path)


@pytest.mark.parametrize(
    "attributes",
    [
        {"_FillValue": float("nan"), "valid_range": [float("nan"), 1], "flag_values": "x"},
        {"long_name": "\x00\x1b[31m\ud800", "units": ["K"], "standard_name": {"a": 1}},
        {"flag_values": [1, 1], "flag_meanings": 7, "missing_value": {"a": [1]}},
        {"grid_mapping": "../../etc/passwd", "coordinates": 9, "_CRS": {"wkt": "GARBAGE["}},
        {"proj:code": "EPSG:999999", "spatial:transform": ["a"] * 6, "GeoTransform": "1 2"},
        {"multiscales": [{"datasets": [{"path": "../../.."}, {"path": 7}]}, 3]},
    ],
)
def test_odd_attributes_do_no_harm(tmp_path, attributes):
    spoiled(tmp_path / "cube", attributes=attributes)
    context = serve(open_store(str(tmp_path)), "cube")
    check_values(context, "cube", shades()[:, 0])
    field = context.catalog.cube("cube").description.range_type.field("v")
    assert "\x00" not in field.title + field.uom
    (field.title + field.uom + field.standard_name).encode()


@pytest.mark.parametrize("name", ["../../etc", "a/b", "\x00", "x" * 5000, "", "<xml&>", "time "])
def test_odd_names_of_dimensions_name_no_object(tmp_path, name):
    group = Group(tmp_path / "cube").lonlat()
    group.array("v", [name or "k", "lat", "lon"], shades()[:, 0].astype("uint8"))
    context = serve(open_store(str(tmp_path)), "cube")
    check_values(context, "cube", shades()[:, 0])
    axis = context.catalog.cube("cube").description.domain.axes[0]
    assert axis.name.replace("_", "").replace("-", "").isalnum() or set(axis.name) == {"_"}
    assert len(axis.name) <= 61


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "a\\b", "a//b", "."])
@pytest.mark.parametrize("version", [2, 3])
def test_paths_in_consolidated_metadata_stay_in_the_folder(tmp_path, version, path):
    group = Group(tmp_path / "cube", version).lonlat().days()
    group.array("v", DIMS, shades()[:, 0].astype("uint8"))
    group.consolidate()
    name = ".zmetadata" if version == 2 else "zarr.json"
    document = json.loads((tmp_path / "cube" / name).read_bytes())
    if version == 2:
        document["metadata"][f"{path}/.zarray"] = document["metadata"]["v/.zarray"]
        document["metadata"][f"{path}/.zattrs"] = document["metadata"]["v/.zattrs"]
    else:
        inline = document["consolidated_metadata"]["metadata"]
        inline[path] = inline["v"]
    (tmp_path / "cube" / name).write_text(json.dumps(document))
    cubes = open_group(open_store(str(tmp_path)), "cube", ChunkCache()).cubes
    assert [cube.description.range_type.names for cube in cubes] == [("v",)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no JSON",
        b"[]",
        b"[" * 100_000,
        b'{"node_type": "group", "attributes": 7}',
        b'{"node_type": "group", "consolidated_metadata": {}}',
        b'{"node_type": "group", "consolidated_metadata": {"metadata": {"v": 7}}}',
        b'{"node_type": "group", "consolidated_metadata": {"metadata": []}}',
        b"\xff\xfe\x00",
    ],
)
def test_documents_that_are_none(tmp_path, data):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/zarr.json").write_bytes(data)
    assert reasons_of(tmp_path)


def test_a_bad_neighbour_takes_nothing_from_the_others(tmp_path, caplog):
    spoiled(tmp_path / "bad", {"shape": [HUGE] * 3})
    spoiled(tmp_path / "good")
    context = serve(open_store(str(tmp_path)), "good")
    with caplog.at_level(logging.WARNING):
        check_values(context, "good", shades()[:, 0])
    assert len(caplog.records) == 1
    assert "'bad' cannot be served: v: the shape" in caplog.records[0].getMessage()


def test_endless_coordinates_are_not_read(tmp_path):
    spoiled(tmp_path / "bad")
    path = tmp_path / "bad/lon/zarr.json"
    document = json.loads(path.read_bytes())
    document["shape"] = [1 << 39]
    path.write_text(json.dumps(document))
    assert "up to 16777216 are read" in reasons_of(tmp_path)


BOMBS = {
    "gzip": gzip.compress(bytes(1 << 26)),
    "zlib": zlib.compress(bytes(1 << 26)),
    "bz2": bz2.compress(bytes(1 << 26)),
    "lzma": lzma.compress(bytes(1 << 26)),
    "zstd": bytes(Zstd(1).encode(bytes(1 << 26))),
    "lz4": bytes(LZ4().encode(bytes(1 << 26))),
    "blosc": bytes(Blosc().encode(bytes(1 << 26))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_small_chunks_that_hold_endless_bytes_are_refused(tmp_path, name):
    spoiled(tmp_path / "cube", {"codecs": [{"name": "bytes"}, {"name": name}]})
    (tmp_path / "cube/v/c/0/0/0").write_bytes(BOMBS[name])
    cube = open_group(open_store(str(tmp_path)), "cube", ChunkCache()).cubes[0]
    tracemalloc.start()
    with pytest.raises(StorageError, match=r"cannot be decoded.*array 'v', chunk 0/0/0"):
        cube.chunk("v", 0, (0, 0, 0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


@given(st.sampled_from(known_codecs()), st.binary(max_size=200), st.integers(0, 3))
def test_no_bytes_make_a_codec_fail_in_another_way(name, data, cut):
    options = {"dtype": "<f4", "offset": 0, "scale": 1, "keepbits": 3, "digits": 1}
    known = {
        "delta": ("dtype",),
        "fixedscaleoffset": ("dtype", "offset", "scale"),
        "quantize": ("dtype", "digits"),
        "bitround": ("keepbits",),
    }
    said = {key: options[key] for key in known.get(name, ())}
    if name == "astype":
        said = {"encode_dtype": "<i2", "decode_dtype": "<i4"}
    codec = byte_codec(name, said, 2)
    starts = {"blosc": Blosc().encode(bytes(100)), "zstd": Zstd().encode(bytes(100))}
    for one in (data, bytes(starts.get(name, b""))[: 8 + 4 * cut] + data):
        with suppress(StorageError):
            assert len(undone([codec], one, 10_000)) <= 10_000


def test_a_shard_whose_index_points_anywhere(tmp_path):
    spoiled(tmp_path / "cube", chunked(5, 9, 14) | {"codecs": sharding()})
    folder = tmp_path / "cube/v/c/0/0"
    entries = np.array(
        [[1 << 62, 252], [0, 1 << 40], [100_000, 252], [0, 252], [2**64 - 1, 2**64 - 1]], "<u8"
    )
    (folder / "0").write_bytes(bytes(252) + entries.tobytes())
    cube = open_group(open_store(str(tmp_path)), "cube", ChunkCache()).cubes[0]
    for t in range(3):
        with pytest.raises(StorageError, match="of cube 'cube'"):
            cube.chunk("v", 0, (t, 0, 0))
    assert (cube.chunk("v", 0, (3, 0, 0)) == 0).all()
    assert (cube.chunk("v", 0, (4, 0, 0)) == 0).all()
