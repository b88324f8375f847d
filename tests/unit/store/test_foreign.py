"""Zarr groups of other writers by value: dtypes, codecs, layouts, coordinates."""

import numpy as np
import pyproj
import pytest
import xarray
from numcodecs import BZ2, LZ4, LZMA, Blosc, Delta, FixedScaleOffset, GZip, Shuffle, Zlib, Zstd
from zarr.codecs import (
    BloscCodec,
    BytesCodec,
    Crc32cCodec,
    GzipCodec,
    ScaleOffset,
    ShardingCodec,
    TransposeCodec,
    ZstdCodec,
)
from zarr.codecs import numcodecs as wrapped

from datacube.model.axis import IndexAxis, RegularAxis
from datacube.store.url import open_store
from tests.unit.store.zarrs import (
    DAYS,
    HEIGHT,
    LAT,
    LON,
    WIDTH,
    Group,
    check_values,
    holes,
    serve,
    shades,
)

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
CHUNKS = (2, 4, 5)


def flat():
    """Values of a cube without further axes; (time, y, x)."""
    return shades()[:, 0]


def gone(values):
    """The same with no data in the holes."""
    return np.where(holes(values), np.nan, values)


def served(tmp_path, *names):
    return serve(open_store(str(tmp_path)), *(names or ("cube",)))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float32", "float64"])
def test_every_number_in_both_byte_orders(tmp_path, version, order, dtype):
    kind = np.dtype(dtype).newbyteorder(order if np.dtype(dtype).itemsize > 1 else "=")
    expected = gone(flat())
    floats = kind.kind == "f"
    nil = np.nan if floats else 127
    group = Group(tmp_path / "cube", version).lonlat().days()
    stored = np.where(np.isnan(expected), nil, expected).astype(kind)
    attributes = {} if floats or version == 2 else {"_FillValue": 127}
    options = {"serializer": BytesCodec(endian="big" if order == ">" else "little")}
    group.array(
        "v",
        ["time", "lat", "lon"],
        stored,
        attributes,
        chunks=CHUNKS,
        fill_value="NaN" if floats else 127,
        **(options if version == 3 and kind.itemsize > 1 else {}),
    )
    context = served(tmp_path)
    check_values(context, "cube", expected)
    field = context.catalog.cube("cube").description.range_type.field("v")
    assert field.dtype == ("float32" if dtype == "float16" else dtype)
    assert field.nil == (None if floats else 127)


@pytest.mark.parametrize("version", [2, 3])
def test_truth_values_are_zero_and_one(tmp_path, version):
    truth = flat() > 60
    group = Group(tmp_path / "cube", version).lonlat().days()
    group.array("v", ["time", "lat", "lon"], truth, chunks=CHUNKS, fill_value=False)
    context = served(tmp_path)
    field = context.catalog.cube("cube").description.range_type.field("v")
    assert (field.dtype, field.nil, field.overview) == ("uint8", None, "mode")
    cube = context.catalog.cube("cube").store
    assert (cube.chunk("v", 0, (0, 0, 0)) == truth[:2, :4, :5]).all()


V3 = {
    "none": {"compressors": None},
    "zstd": {"compressors": [ZstdCodec(level=1, checksum=True)]},
    "gzip": {"compressors": [GzipCodec(level=1)]},
    "blosc": {"compressors": [BloscCodec(cname="zstd", shuffle="bitshuffle")]},
    "crc32c": {"compressors": [ZstdCodec(level=1), Crc32cCodec()]},
    "transpose": {"filters": [TransposeCodec(order=(2, 0, 1))]},
    "twice transposed": {
        "filters": [TransposeCodec(order=(1, 2, 0)), TransposeCodec(order=(0, 2, 1))]
    },
    "delta bz2": {
        "filters": [wrapped.Delta(dtype="<i2")],
        "compressors": [wrapped.BZ2(level=1)],
    },
    "fixedscaleoffset lzma": {
        "filters": [wrapped.FixedScaleOffset(offset=0, scale=1, dtype="<i2", astype="<i4")],
        "compressors": [wrapped.LZMA(preset=1)],
    },
    "zlib shuffle": {"compressors": [wrapped.Shuffle(elementsize=2), wrapped.Zlib(level=1)]},
    "lz4": {"compressors": [wrapped.LZ4()]},
    "sharded, transposed within": {
        "serializer": ShardingCodec(
            chunk_shape=(2, 2, 5),
            codecs=[TransposeCodec(order=(2, 1, 0)), BytesCodec(), ZstdCodec()],
        ),
        "chunks": (2, 4, 10),
        "compressors": None,
    },
    "sharded, transposed around": {
        "filters": [TransposeCodec(order=(1, 0, 2))],
        "serializer": ShardingCodec(chunk_shape=(2, 2, 5), codecs=[BytesCodec(), GzipCodec()]),
        "chunks": (2, 4, 10),
        "compressors": None,
    },
    "sharded, compressed around": {
        "serializer": ShardingCodec(chunk_shape=(2, 2, 5), codecs=[BytesCodec()]),
        "chunks": (2, 4, 10),
        "compressors": [ZstdCodec()],
    },
    "shards in shards": {
        "serializer": ShardingCodec(
            chunk_shape=(2, 4, 5),
            codecs=[ShardingCodec(chunk_shape=(1, 2, 5), codecs=[BytesCodec(), ZstdCodec()])],
            index_location="start",
        ),
        "chunks": (2, 8, 10),
        "compressors": None,
    },
    "only zarr-python knows": {"filters": [ScaleOffset(offset=-8, scale=2)]},
    "dots": {"chunk_key_encoding": {"name": "default", "separator": "."}},
    "names of v2": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "chunks longer than the array": {"chunks": (8, 16, 32)},
    "one cell a chunk": {"chunks": (1, 3, 2)},
}


@pytest.mark.parametrize("case", V3)
def test_codecs_and_layouts_of_v3(tmp_path, case):
    expected = gone(flat())
    group = Group(tmp_path / "cube").lonlat().days()
    stored = np.where(np.isnan(expected), -1, expected).astype("int16")
    options = {"chunks": CHUNKS} | V3[case]
    group.array("v", ["time", "lat", "lon"], stored, {"_FillValue": -1}, **options)
    check_values(served(tmp_path), "cube", expected)


V2 = {
    "none": {"compressors": None},
    "blosc": {"compressors": Blosc("lz4", 5, Blosc.SHUFFLE)},
    "zstd": {"compressors": Zstd()},
    "zlib": {"compressors": Zlib()},
    "gzip": {"compressors": GZip()},
    "lz4": {"compressors": LZ4()},
    "bz2": {"compressors": BZ2()},
    "lzma": {"compressors": LZMA()},
    "filters": {"filters": [Delta("<i2"), Shuffle(2)], "compressors": Zstd()},
    "scaled": {"filters": [FixedScaleOffset(0, 1, "<i2", "<i4")], "compressors": None},
    "columns first": {"order": "F"},
    "slashes": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
}


@pytest.mark.parametrize("case", V2)
def test_codecs_and_layouts_of_v2(tmp_path, case):
    expected = gone(flat())
    group = Group(tmp_path / "cube", 2).lonlat().days()
    stored = np.where(np.isnan(expected), -1, expected).astype("int16")
    options = {"chunks": CHUNKS, "fill_value": -1} | V2[case]
    group.array("v", ["time", "lat", "lon"], stored, **options)
    check_values(served(tmp_path), "cube", expected)


@pytest.mark.parametrize(
    "dims", [("lon", "lat", "time"), ("lat", "lon", "time"), ("lat", "time", "lon")]
)
def test_any_order_of_dimensions(tmp_path, dims):
    expected = gone(flat())
    order = [("time", "lat", "lon").index(name) for name in dims]
    group = Group(tmp_path / "cube").lonlat().days()
    stored = expected.transpose(order).astype("float32")
    group.array("v", dims, stored, chunks=tuple(CHUNKS[one] for one in order), fill_value="NaN")
    check_values(served(tmp_path), "cube", expected)


def test_packed_unsigned_values_with_two_missing_ones(tmp_path):
    expected = flat()
    packed = (expected * 2 + 7).astype("uint8")
    packed[0, 0, 0], packed[1, 3, 6] = 254, 255
    expected[0, 0, 0] = expected[1, 3, 6] = np.nan
    said = {"scale_factor": 0.5, "add_offset": -3.5, "_Unsigned": "true"}
    group = Group(tmp_path / "cube").lonlat().days()
    group.array(
        "v",
        ["time", "lat", "lon"],
        packed.view("int8"),
        {**said, "_FillValue": -1, "missing_value": [-2]},
        chunks=CHUNKS,
    )
    context = served(tmp_path)
    check_values(context, "cube", expected)
    assert context.catalog.cube("cube").description.range_type.field("v").dtype == "uint8"


def test_floats_that_mark_no_data_by_a_number(tmp_path):
    expected = gone(flat())
    stored = np.where(np.isnan(expected), 1e20, expected).astype("float32")
    group = Group(tmp_path / "cube").lonlat().days()
    group.array("v", ["time", "lat", "lon"], stored, {"missing_value": 1e20}, chunks=CHUNKS)
    check_values(served(tmp_path), "cube", expected)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_chunks_that_were_never_written(tmp_path, version, dtype):
    expected = flat()
    group = Group(tmp_path / "cube", version).lonlat().days()
    # of v2 the fill value is no data; of v3 it is the value it says
    array = group.array(
        "v", ["time", "lat", "lon"], expected.astype(dtype), chunks=CHUNKS, fill_value=8
    )
    name = "v/0.1.1" if version == 2 else "v/c/0/1/1"
    (tmp_path / "cube" / name).unlink()
    expected[:2, 4:8, 5:10] = 8
    if version == 2:
        expected[expected == 8] = np.nan
    check_values(served(tmp_path), "cube", expected)
    del array


def test_a_fill_value_of_null_is_no_data_where_there_can_be_some(tmp_path):
    expected = flat()
    group = Group(tmp_path / "cube", 2).lonlat().days()
    said = {"missing_value": 99}
    dims = ["time", "lat", "lon"]
    for name, dtype in (("v", "float32"), ("w", "int16"), ("n", "int16")):
        group.array(name, dims, expected.astype(dtype), said if name == "w" else {}, chunks=CHUNKS)
        (tmp_path / "cube" / name / "0.1.1").unlink()
    context = served(tmp_path)
    without = expected.copy()
    without[:2, 4:8, 5:10] = np.nan
    check_values(context, "cube", without)
    check_values(context, "cube", without, "w")
    check_values(context, "cube", np.nan_to_num(without, nan=0), "n")


GRIDS = {
    "0 to 360": (np.arange(WIDTH) * 24.0, LAT),
    "over the seam": ((354.5 + np.arange(WIDTH)) % 360 - 180, LAT),
    "far east": (LON + 180, LAT),
    "descending longitudes": (LON[::-1], LAT),
    "ascending latitudes": (LON, LAT[::-1]),
    "float noise": ((np.arange(WIDTH) / 3 + 1e-9 * np.arange(WIDTH) % 7).astype("float32"), LAT),
    "integers": (np.arange(WIDTH), np.arange(HEIGHT)[::-1]),
    "to the poles": (LON, np.linspace(90, -90, HEIGHT)),
}


@pytest.mark.parametrize("case", GRIDS)
def test_longitudes_and_latitudes_as_they_come(tmp_path, case):
    lon, lat = GRIDS[case]
    group = Group(tmp_path / "cube").lonlat(lon, lat).days()
    group.array("v", ["time", "lat", "lon"], flat().astype("uint8"), chunks=CHUNKS)
    context = served(tmp_path)
    check_values(context, "cube", flat())
    grid = context.catalog.cube("cube").description.domain.rectified
    assert np.allclose((grid.x_centres() - lon + 180) % 360 - 180, 0, atol=1e-4)
    assert np.allclose(grid.y_centres(), lat, atol=1e-4)


NAMES = {
    "standard names": ({"standard_name": "longitude"}, {"standard_name": "latitude"}),
    "units": ({"units": "degrees_east"}, {"units": "degree_north"}),
    "axis": (
        {"standard_name": "longitude", "axis": "X"},
        {"standard_name": "latitude", "axis": "Y"},
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_coordinates_by_what_they_say(tmp_path, case):
    group = Group(tmp_path / "cube").days()
    group.array("across", ["across"], LON, NAMES[case][0])
    group.array("down", ["down"], LAT, NAMES[case][1])
    group.array("v", ["time", "down", "across"], flat().astype("uint8"), chunks=CHUNKS)
    check_values(served(tmp_path), "cube", flat())


def test_coordinates_by_names_alone(tmp_path):
    group = Group(tmp_path / "cube").days()
    group.array("Longitude", ["Longitude"], LON)
    group.array("Latitude", ["Latitude"], LAT)
    group.array("v", ["time", "Latitude", "Longitude"], flat().astype("uint8"), chunks=CHUNKS)
    check_values(served(tmp_path), "cube", flat())


def test_positions_beside_numbered_dimensions(tmp_path):
    group = Group(tmp_path / "cube").days()
    group.array("lon", ["x"], LON, {"units": "degrees_east"})
    group.array("lat", ["y"], LAT, {"units": "degrees_north"})
    group.array("v", ["time", "y", "x"], flat().astype("uint8"), chunks=CHUNKS)
    check_values(served(tmp_path), "cube", flat())


X, Y = 600_005.0 + 10 * np.arange(WIDTH), 5_299_995.0 - 10 * np.arange(HEIGHT)
UTM = pyproj.CRS.from_epsg(32632)
WKT = UTM.to_wkt()
TRANSFORM = "600000 10 0 5300000 0 -10"
PROJECTED = {
    # group, variable, grid mapping, whether there are coordinate arrays
    "cf": ({}, {"grid_mapping": "crs"}, {"crs_wkt": WKT}, True),
    "rioxarray": (
        {},
        {"grid_mapping": "crs"},
        {"spatial_ref": WKT, "GeoTransform": TRANSFORM},
        False,
    ),
    "only mapping": ({}, {}, {"crs_wkt": WKT, "GeoTransform": TRANSFORM}, True),
    "gdal": ({}, {"_CRS": {"wkt": WKT}}, None, True),
    "gdal url": (
        {},
        {"_CRS": {"url": "http://www.opengis.net/def/crs/EPSG/0/32632"}},
        None,
        True,
    ),
    "conventions": (
        {
            "proj:code": "EPSG:32632",
            "spatial:transform": [10.0, 0.0, 600000.0, 0.0, -10.0, 5300000.0],
        },
        {},
        None,
        False,
    ),
    "epsg": ({"epsg": 32632}, {}, None, True),
    "crs": ({}, {"crs": "EPSG:32632"}, None, True),
    "projjson": (
        {"proj:projjson": UTM.to_json_dict()},
        {},
        None,
        True,
    ),
}


@pytest.mark.parametrize("case", PROJECTED)
def test_projected_grids_in_every_style(tmp_path, case):
    group_says, variable_says, mapping, coordinates = PROJECTED[case]
    group = Group(tmp_path / "cube", attributes=group_says)
    if coordinates:
        group.array("x", ["x"], X)
        group.array("y", ["y"], Y)
    if mapping is not None:
        group.array("crs", [], np.int64(0), mapping)
    group.array("v", ["y", "x"], flat()[0].astype("uint8"), variable_says, chunks=(4, 5))
    context = served(tmp_path)
    check_values(context, "cube", flat()[0])
    grid = context.catalog.cube("cube").description.domain.rectified
    assert grid.crs.key == "EPSG:32632"
    assert grid.bbox.edges == (600_000, 5_299_910, 600_140, 5_300_000)


def test_a_further_axis_of_depth(tmp_path):
    values = shades(levels=3)
    group = Group(tmp_path / "cube").lonlat().days()
    group.array("depth", ["depth"], [0.5, 10.0, 20.0], {"units": "m", "positive": "down"})
    dims = ["time", "depth", "lat", "lon"]
    group.array("v", dims, values.astype("uint8"), chunks=(2, 2, 4, 5))
    context = served(tmp_path)
    check_values(context, "cube", values)
    assert context.catalog.cube("cube").description.domain.vertical.uom == "m"


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("kind", ["<U5", "S5", "variable", "number"])
def test_labels_of_an_axis(tmp_path, version, kind):
    values = shades(levels=3)
    group = Group(tmp_path / "cube", version).lonlat().days()
    labels = ["a1b", "e1", "ä" if kind != "S5" else "z"]
    options = {"dtype": str} if kind == "variable" else {}
    written = np.array([7, 3, 5]) if kind == "number" else np.array(labels)
    if kind in {"<U5", "S5"}:
        written = written.astype(kind)
    options["fill_value"] = {"number": 0, "S5": b""}.get(kind, "")
    group.array("run", ["run"], written, **options)
    group.array("v", ["time", "run", "lat", "lon"], values.astype("uint8"), chunks=(2, 2, 4, 5))
    context = served(tmp_path)
    check_values(context, "cube", values)
    axis = context.catalog.cube("cube").description.domain.axes[1]
    assert axis == IndexAxis("run", 3, title="run", labels=axis.labels)
    assert axis.labels == (("7", "3", "5") if kind == "number" else tuple(labels))


TIMES_OF = {
    "hours": (DAYS * 24, {"units": "hours since 2020-01-01"}),
    "fractions": (DAYS + 0.5, {"units": "days since 2019-12-31T12:00:00"}),
    "int32 seconds": ((DAYS * 86400).astype("int32"), {"units": "seconds since 2020-01-01 00:00"}),
    "proleptic": (DAYS, {"units": "days since 2020-01-01", "calendar": "proleptic_gregorian"}),
}


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("case", TIMES_OF)
def test_times_in_units(tmp_path, version, case):
    values, said = TIMES_OF[case]
    group = Group(tmp_path / "cube", version).lonlat()
    group.array("time", ["time"], values, said)
    group.array("v", ["time", "lat", "lon"], flat().astype("uint8"), chunks=CHUNKS)
    context = served(tmp_path)
    check_values(context, "cube", flat())
    axis = context.catalog.cube("cube").description.domain.time
    assert axis.iso[:2] == ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("unit", ["ns", "s", "D"])
def test_times_as_datetime64(tmp_path, version, unit):
    group = Group(tmp_path / "cube", version).lonlat()
    instants = np.array(["2020-01-01"], "M8[D]").astype(f"M8[{unit}]") + DAYS.astype("m8[D]")
    group.array(
        "time", ["time"], instants.astype(f"M8[{unit}]"), fill_value=np.datetime64("NaT", unit)
    )
    group.array("v", ["time", "lat", "lon"], flat().astype("uint8"), chunks=CHUNKS)
    context = served(tmp_path)
    check_values(context, "cube", flat())
    assert context.catalog.cube("cube").description.domain.time.iso[-1] == "2020-01-05T00:00:00Z"


def test_a_calendar_of_360_days(tmp_path):
    group = Group(tmp_path / "cube").lonlat().days(DAYS + 57, calendar="360_day")
    group.array("v", ["time", "lat", "lon"], flat().astype("uint8"), chunks=CHUNKS)
    context = served(tmp_path)
    check_values(context, "cube", flat())
    axis = context.catalog.cube("cube").description.domain.time
    assert axis.iso[2] == "2020-02-30T00:00:00Z"


def test_times_in_any_order_with_one_twice_and_one_missing(tmp_path):
    group = Group(tmp_path / "cube").lonlat()
    said = {"units": "days since 2020-01-01", "_FillValue": -9}
    group.array("time", ["time"], np.array([3, 1, -9, 3, 0]), said)
    group.array("v", ["time", "lat", "lon"], flat().astype("uint8"), chunks=CHUNKS)
    context = served(tmp_path)
    check_values(context, "cube", flat()[[4, 1, 3]])
    cube = context.catalog.cube("cube")
    assert [text[8:10] for text in cube.description.domain.time.iso] == ["01", "02", "04"]
    assert cube.store.chunk_shape("v") == (1, 4, 5)
    assert cube.store.chunk_counts("v") == (3, 3, 3)


def test_a_single_instant_that_is_no_dimension(tmp_path):
    group = Group(tmp_path / "cube").lonlat()
    group.array("time", [], np.int64(2), {"units": "days since 2020-01-01"})
    group.array("v", ["lat", "lon"], flat()[0].astype("uint8"), {"coordinates": "time"})
    context = served(tmp_path)
    check_values(context, "cube", flat()[:1])
    assert context.catalog.cube("cube").description.domain.time.iso == ("2020-01-03T00:00:00Z",)


def test_a_cube_without_time_and_with_a_dimension_of_one(tmp_path):
    group = Group(tmp_path / "cube").lonlat()
    group.array("v", ["band", "lat", "lon"], flat()[:1].astype("uint8"), chunks=(1, 4, 5))
    check_values(served(tmp_path), "cube", flat()[0])


@pytest.mark.parametrize("version", [2, 3])
def test_what_xarray_writes_and_reads(tmp_path, version):
    values = gone(flat())
    times = np.datetime64("2020-01-01", "ns") + DAYS.astype("m8[D]")
    data = xarray.Dataset(
        {
            "v": (("time", "lat", "lon"), values.astype("float32")),
            "packed": (("time", "lat", "lon"), values),
        },
        {"time": times, "lat": LAT, "lon": LON},
    )
    packing = {"dtype": "int16", "scale_factor": 0.5, "add_offset": 4.0, "_FillValue": -1}
    data.to_zarr(
        tmp_path / "cube", zarr_format=version, consolidated=False, encoding={"packed": packing}
    )
    context = served(tmp_path)
    check_values(context, "cube", values)
    check_values(context, "cube", values, "packed")
    with xarray.open_zarr(tmp_path / "cube", consolidated=False) as read:
        for field in context.catalog.cube("cube").description.range_type.fields:
            assert read[field.name].dtype == field.physical_dtype


def test_a_regular_depth_is_a_regular_axis(tmp_path):
    group = Group(tmp_path / "cube").lonlat()
    group.array("plev", ["plev"], [1000.0, 900.0, 800.0], {"units": "hPa"})
    group.array("v", ["plev", "lat", "lon"], shades(levels=3)[0].astype("uint8"))
    context = served(tmp_path)
    check_values(context, "cube", shades(levels=3)[0])
    axis = context.catalog.cube("cube").description.domain.axes[0]
    assert isinstance(axis, RegularAxis)
    assert (axis.origin, axis.step) == (1000.0, -100.0)
