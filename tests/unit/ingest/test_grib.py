"""GRIB through the child process: times, levels, parts, bitmaps, damage."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyproj
import pytest

from datacube.errors import SourceError
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers import gribchild
from datacube.ingest.readers.grib import GribReader
from datacube.ingest.readers.gribchild import GribDecoder
from datacube.ingest.readers.gribgrid import grid_of_section
from datacube.ingest.source import ReadOptions, is_parallel
from datacube.model.crs import CRS84, transform

PLANE = np.add.outer(10.0 * np.arange(4), np.arange(5.0)).astype("f4")


def message(name="t", kind="isobaricInhPa", level=500, step=0, **other):
    return {"shortName": name, "typeOfLevel": kind, "level": level, "step": step, **other}


def make(path, *messages):
    script = Path(__file__).with_name("make_grib.py")
    subprocess.run([sys.executable, script, path, json.dumps(messages)], check=True)
    return path


def granules(path, **options):
    return GribReader().open(path, ReadOptions(**options))


def test_a_run_becomes_valid_times_and_pressure_an_axis(tmp_path):
    path = make(
        tmp_path / "ifs_20200101.grib2",
        *(message(level=level, step=step) for step in (0, 6, 12) for level in (1000, 500)),
    )
    with granules(path) as (one,):
        domain = one.description.domain
        assert one.cube_id == "ifs"
        assert domain.time.iso == tuple(f"2020-01-01T{hour:02d}:00:00Z" for hour in (0, 6, 12))
        assert domain.vertical.uom == "hPa"
        assert domain.rectified.bbox.edges == (9.75, 50.25, 12.25, 52.25)
        assert {piece.reference_ticks for piece in one.slices} == {int(domain.time.ticks[0])}
        field = one.description.range_type.field("t")
        assert (field.dtype, field.uom, field.standard_name) == ("float32", "K", "air_temperature")
        place = domain.vertical.coordinates.tolist().index(500)
        values = one.slices[2].bands["t"].read((place,), 1, 4, 2, 5)
        np.testing.assert_array_equal(values, PLANE[1:4, 2:5] + 12500)


def test_a_large_file_is_decoded_by_several_children_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(gribchild, "_LARGE", 0)
    monkeypatch.setattr(gribchild.os, "cpu_count", lambda: 3)
    levels = (1000, 850, 700, 500, 300, 250, 200, 100)
    path = make(tmp_path / "a.grib2", *(message(level=level) for level in levels))
    with granules(path) as (one,), ThreadPoolExecutor(5) as threads:
        band = one.slices[0].bands["t"]
        assert is_parallel(band)
        places = one.description.domain.vertical.coordinates.tolist()
        found = list(threads.map(lambda at: band.read((at,), 0, 4, 0, 5), range(len(places))))
        for level, values in zip(places, found, strict=True):
            np.testing.assert_array_equal(values, PLANE + level)


def test_one_pressure_level_is_an_axis_of_one(tmp_path):
    with granules(make(tmp_path / "a.grib", message())) as (one,):
        assert one.description.domain.vertical.coordinates.tolist() == [500]
        values = one.slices[0].bands["t"].read((0,), 0, 4, 0, 5)
        np.testing.assert_array_equal(values, PLANE + 500)


def test_single_levels_are_one_part_beside_the_pressure_levels(tmp_path):
    path = make(
        tmp_path / "a.grib",
        message(level=850),
        message(level=500),
        message("2t", "heightAboveGround", 2),
        message("10u", "heightAboveGround", 10),
        message("sp", "surface", 0),
    )
    with granules(path, cube="ifs") as found:
        fields = {one.cube_id: set(one.description.range_type.names) for one in found}
        assert fields == {"ifs": {"t"}, "ifs-2d": {"t2m", "u10", "sp"}}
        for name, level in (("t2m", 2), ("u10", 10), ("sp", 0)):
            values = found[1].slices[0].bands[name].read((), 0, 4, 0, 5)
            np.testing.assert_array_equal(values, PLANE + level)


def test_the_same_numbers_of_another_discipline_are_another_quantity(tmp_path):
    path = make(tmp_path / "m.grib2", message("t", "surface", 0), message("lsm", "surface", 0))
    with granules(path) as (one,):
        assert set(one.description.range_type.names) == {"t", "lsm"}


def test_rows_from_south_to_north_stay(tmp_path):
    path = make(tmp_path / "a.grib", message("2t", "heightAboveGround", 2, south_up=True))
    with granules(path) as (one,):
        grid = one.description.domain.rectified
        assert (grid.dy, grid.y_centres()[0]) == (0.5, 50.5)
        np.testing.assert_array_equal(one.slices[0].bands["t2m"].read((), 0, 4, 0, 5), PLANE + 2)


def test_a_bitmap_becomes_nan(tmp_path):
    path = make(tmp_path / "a.grib", message("2t", "heightAboveGround", 2, missing=True))
    with granules(path) as (one,):
        values = one.slices[0].bands["t2m"].read((), 0, 4, 0, 5)
        assert np.argwhere(np.isnan(values)).tolist() == [[1, 2]]


def test_several_runs_of_distinct_valid_times_are_a_series(tmp_path):
    path = make(
        tmp_path / "a.grib",
        *(message(step=step, date=day) for step in (0, 6) for day in (20200101, 20200102)),
    )
    with granules(path) as (one,):
        assert one.description.domain.time.iso == (
            *("2020-01-01T00:00:00Z", "2020-01-01T06:00:00Z"),
            *("2020-01-02T00:00:00Z", "2020-01-02T06:00:00Z"),
        )


def forecast(tmp_path):
    """Two runs a day apart; the second lacks its last step."""
    steps = {20200101: (0, 12, 24), 20200102: (0, 12)}
    every = ((day, step) for day, some in steps.items() for step in some)
    return make(tmp_path / "a.grib", *(message(step=step, date=day) for day, step in every))


def test_overlapping_runs_are_a_forecast_cube(tmp_path):
    with granules(forecast(tmp_path)) as (one,):
        time, step, level = one.description.domain.axes
        assert (time.name, time.iso) == (
            "reference_time",
            ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"),
        )
        assert (step.name, step.uom, step.coordinates.tolist()) == ("step", "h", [0, 12, 24])
        assert level.coordinates.tolist() == [500]
        first, second = (piece.bands["t"] for piece in one.slices)
        np.testing.assert_array_equal(first.read((2, 0), 0, 4, 0, 5), PLANE + 24500)
        np.testing.assert_array_equal(second.read((1, 0), 0, 4, 0, 5), PLANE + 12500)
        assert np.isnan(second.read((2, 0), 0, 4, 0, 5)).all()


def test_one_run_is_a_forecast_cube_where_it_is_asked_for(tmp_path):
    path = make(tmp_path / "a.grib", message("2t", "heightAboveGround", 2, step=6))
    with granules(path, forecast=True) as (one,):
        time, step = one.description.domain.axes
        assert (time.iso, step.coordinates.tolist()) == (("2020-01-01T00:00:00Z",), [6])
        np.testing.assert_array_equal(
            one.slices[0].bands["t2m"].read((0,), 0, 4, 0, 5), PLANE + 6002
        )


def test_variables_on_fewer_levels_lie_on_the_same_axis(tmp_path):
    path = make(
        tmp_path / "a.grib",
        *(message("u", level=level) for level in (250, 500, 850)),
        message(level=500),
    )
    with granules(path) as (one,):
        assert set(one.description.range_type.names) == {"u", "t"}
        assert one.description.domain.vertical.coordinates.tolist() == [850, 500, 250]
        bands = one.slices[0].bands
        np.testing.assert_array_equal(bands["t"].read((1,), 0, 4, 0, 5), PLANE + 500)
        assert np.isnan(bands["t"].read((0,), 0, 4, 0, 5)).all()


def test_the_order_of_messages_does_not_matter(tmp_path):
    messages = [
        message(level=500),
        message(level=850),
        message("2t", "heightAboveGround", 2),
        message("t", "tropopause", 0),
        message("t", "surface", 0),
    ]
    named = []
    for order in (messages, messages[::-1]):
        with granules(make(tmp_path / "a.grib", *order), cube="ifs") as found:
            named.append([(one.cube_id, set(one.description.range_type.names)) for one in found])
    assert named[0] == named[1]
    assert dict(named[0]) == {"ifs": {"t"}, "ifs-2d": {"t_surface", "t_tropopause", "t2m"}}


def test_alternating_rows_and_other_scanning(tmp_path):
    for scanning in ({"alternate": True}, {"leftward": True}, {"columns": True}):
        path = make(tmp_path / "a.grib", message("2t", "heightAboveGround", 2, **scanning))
        with granules(path) as (one,):
            assert one.description.domain.rectified.bbox.edges == (9.75, 50.25, 12.25, 52.25)
            values = one.slices[0].bands["t2m"].read((), 0, 4, 0, 5)
            np.testing.assert_array_equal(values, PLANE + 2)


@pytest.mark.parametrize("cut", [-1, -40])
def test_of_a_cut_file_goes_in_what_can_be_read(tmp_path, cut):
    path = make(tmp_path / "a.grib", message(step=0), message(step=6))
    path.write_bytes(path.read_bytes()[:cut])
    with granules(path) as (one,):
        assert one.description.domain.time.iso == ("2020-01-01T00:00:00Z",)
        assert one.warnings[0].startswith("of 2 messages 1 damaged or cut")
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert (report.results[0].status, report.exit_code) == ("partial", 3)
    again = ingest([str(path)], store=str(tmp_path / "store"))
    assert (again.results[0].status, again.exit_code) == ("already", 0)


def test_a_file_without_a_whole_message_is_refused(tmp_path):
    path = make(tmp_path / "a.grib", message(step=0), message(step=6))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SourceError, match="damaged"), granules(path):
        pass


def test_nothing_is_written_beside_the_source(tmp_path):
    path = make(tmp_path / "a.grib", message())
    with granules(path) as (one,):
        one.slices[0].bands["t"].read((0,), 0, 1, 0, 1)
    assert list(tmp_path.iterdir()) == [path]


def test_the_parent_never_loads_the_decoder():
    code = (
        "import sys, datacube.ingest.pipeline, datacube.ingest.readers;"
        "print([name for name in ('eccodes', 'gribapi', 'cfgrib') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_messages_that_differ_in_their_time_alone(tmp_path):
    days = (20200227, 20191231, 20200228)
    path = make(
        tmp_path / "a.grib2",
        *(message("2t", "heightAboveGround", 2, step=30, date=day, time=1800) for day in days),
        message("2t", "heightAboveGround", 2, step=36, date=20200228, time=1800),
    )
    with granules(path) as (one,):
        valid = ("2020-01-02T00:00:00Z", "2020-02-29T00:00:00Z", "2020-03-01T00:00:00Z")
        assert one.description.domain.time.iso == (*valid, "2020-03-01T06:00:00Z")
        runs = [(piece.ticks - piece.reference_ticks) / 3_600_000 for piece in one.slices]
        assert runs == [30, 30, 30, 36]
        last = one.slices[3].bands["t2m"].read((), 0, 4, 0, 5)
        np.testing.assert_array_equal(last, PLANE + 36002)


def test_a_damaged_message_among_like_ones_is_left_out(tmp_path):
    messages = [message(date=day) for day in (20200101, 20200102, 20200103, 20200104)]
    path = make(tmp_path / "a.grib2", *messages)
    data = bytearray(path.read_bytes())
    size = len(data) // 4
    data[3 * size - 4 : 3 * size] = b"none"
    path.write_bytes(data)
    with granules(path) as (one,):
        days = [iso[:10] for iso in one.description.domain.time.iso]
        assert days == ["2020-01-01", "2020-01-02", "2020-01-04"]
        assert one.warnings


def test_sums_up_to_the_same_instant_are_no_messages_that_differ_in_their_time_alone(tmp_path):
    path = make(tmp_path / "a.grib2", *2 * [message("tp", "surface", 0, step=6, bits=16)])
    data = bytearray(path.read_bytes())
    size = len(data) // 2
    assert data[:size] == data[size:]
    day = 16 + 15  # octet 16 of section 1: the run starts three hours later, the sum ends as before
    assert data[size + day : size + day + 2] == bytes([1, 0])
    data[size + day + 1] = 3
    path.write_bytes(data)
    with GribDecoder(path) as decoder:
        first, second = decoder.index["messages"]
    assert first["stepType"] == "accum"
    assert (first["dataTime"], second["dataTime"]) == (0, 300)
    assert (first["validityTime"], second["validityTime"]) == (600, 600)


def parameter(number, **other):
    """A parameter that no table has."""
    numbers = {"discipline": 0, "parameterCategory": 200, "parameterNumber": number}
    return message("", add=number, first=numbers, **other)


def statistic(template, **keys):
    return message(
        add=sum(keys.values()), first={"productDefinitionTemplateNumber": template, **keys}
    )


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (
            [parameter(7), parameter(8)],
            {"param_0_200_7": 7, "param_0_200_8": 8},
        ),
        (
            [statistic(2, derivedForecast=kind) for kind in (0, 4, 8)],
            {"t": 0, "t_spread": 4, "t_min": 8},
        ),
        (
            [statistic(6, percentileValue=percent) for percent in (10, 90)],
            {"t_p10": 10, "t_p90": 90},
        ),
        (
            [
                statistic(
                    9, probabilityType=1, scaleFactorOfUpperLimit=1, scaledValueOfUpperLimit=limit
                )
                for limit in (5, 280)
            ],
            {"t_above_0_5": 7, "t_above_28": 282},
        ),
        (
            [
                message(steps=steps, add=add, first={"productDefinitionTemplateNumber": 8})
                for steps, add in (("6-9", 3), ("0-9", 9))
            ],
            {"t_part": 3, "t": 9},
        ),
    ],
    ids=["unknown", "derived", "percentiles", "probabilities", "sums"],
)
def test_fields_that_differ_in_more_than_their_name_are_told_apart(tmp_path, messages, expected):
    path = make(tmp_path / "a.grib2", *messages)
    with granules(path) as (one,):
        assert set(one.description.range_type.names) == set(expected)
        assert one.warnings == ()
        for name, add in expected.items():
            values = one.slices[0].bands[name].read((0,), 0, 4, 0, 5)
            np.testing.assert_array_equal(values, PLANE + 500 + add)


@pytest.mark.parametrize(("add", "warnings"), [(0, 0), (1, 1)])
def test_messages_that_disagree_are_said(tmp_path, add, warnings):
    path = make(tmp_path / "a.grib2", message(), message(add=add))
    with granules(path) as (one,):
        assert len(one.warnings) == warnings
        assert all("other values of t at one time; the last count" in it for it in one.warnings)
        values = one.slices[0].bands["t"].read((0,), 0, 4, 0, 5)
        np.testing.assert_array_equal(values, PLANE + 500 + add)


def test_times_have_their_seconds(tmp_path):
    messages = [
        *(message(last={"second": 30, "dataTime": time}) for time in (0, 1)),
        message(last={"second": 0, "dataTime": 2}),
        message(last={"second": 0, "dataTime": 3, "stepRange": "95s"}),
        message(last={"second": 30, "dataTime": 6, "stepRange": "95s"}),
    ]
    with granules(make(tmp_path / "a.grib2", *messages)) as (one,):
        assert one.warnings == ()
        assert [piece[11:-1] for piece in one.description.domain.time.iso] == [
            *("00:00:30", "00:01:30", "00:02:00", "00:04:35", "00:08:05")
        ]


def test_a_rotated_grid_that_is_turned_as_well():
    """Against PROJ's own reading of the three numbers of GRIB."""
    method = "Pole rotation (GRIB convention)"
    names = ("Latitude of the southern pole", "Longitude of the southern pole", "Axis rotation")
    unit = 'ANGLEUNIT["degree",0.0174532925199433]'
    turned = ",".join(
        f'PARAMETER["{name} (GRIB convention)",{value},{unit}]'
        for name, value in zip(names, (-39.25, 18, 12), strict=True)
    )
    sphere = 'DATUM["sphere",ELLIPSOID["sphere",6371229,0]]'
    system = pyproj.CRS(
        f'GEOGCRS["r",BASEGEOGCRS["s",{sphere}],DERIVINGCONVERSION["c",METHOD["{method}"],{turned}],'
        f'CS[ellipsoidal,2],AXIS["lat",north],AXIS["lon",east],{unit}]'
    )
    base = pyproj.CRS("+proj=longlat +R=6371229")
    east, north = pyproj.Transformer.from_crs(base, system, always_xy=True).transform(12.5, 52.5)
    keys = {"gridType": "rotated_ll", "Ni": 3, "Nj": 3, "jScansPositively": 1}
    for axis in ("latitude", "longitude"):
        keys |= {f"{axis}Of{end}GridPointInDegrees": at for end, at in (("First", 0), ("Last", 2))}
    keys |= {"latitudeOfSouthernPoleInDegrees": -39.25, "longitudeOfSouthernPoleInDegrees": 18.0}
    grid = grid_of_section({**keys, "angleOfRotationInDegrees": 12.0})
    found = transform(12.5, 52.5, CRS84, grid.crs)
    assert np.abs(np.array(found) - (east, north)).max() < 0.1  # on another ellipsoid
