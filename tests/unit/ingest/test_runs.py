"""Forecasts in NetCDF: in every form they become runs and steps, and later runs are added."""

import netCDF4
import numpy as np
import pytest

from datacube.config.products import RecipeSettings
from datacube.ingest.pipeline import ingest
from datacube.model.axis import axis_values
from tests.unit.ingest.products import opened, whole

LON, LAT = np.arange(6) * 0.5, 50 - np.arange(4) * 0.5
Y, X = np.mgrid[0:4, 0:6]
FORECAST = RecipeSettings(forecast=True)


def value(run, step):
    """Of the run that starts so many hours after 2020-01-01, so many hours later."""
    return (1000 * run + 10 * step + Y + X).astype("f4")


def file_of(path, dimensions, variables):
    """Variables are (dimensions, values, attributes) by name; v is the field."""
    axes = {"lat": (("lat",), LAT, {"units": "degrees_north"})}
    axes["lon"] = (("lon",), LON, {"units": "degrees_east"})
    with netCDF4.Dataset(path, "w") as file:
        for name, size in {**dimensions, "lat": 4, "lon": 6}.items():
            file.createDimension(name, size)
        for name, (of, values, attributes) in {**axes, **variables}.items():
            one = file.createVariable(name, np.asarray(values).dtype, of)
            one.setncatts(attributes)
            one[...] = values
    return str(path)


def since(standard_name):
    return {"units": "hours since 2020-01-01", "standard_name": standard_name}


RUN, LEAD = since("forecast_reference_time"), {"standard_name": "forecast_period", "units": "hours"}


def both_axes(path, runs, steps):
    values = np.array([[value(run, step) for step in steps] for run in runs])
    valid = np.add.outer(np.array(runs, float), np.array(steps, float))
    return file_of(
        path,
        {"forecast_reference_time": len(runs), "lead": len(steps)},
        {
            "forecast_reference_time": (("forecast_reference_time",), np.array(runs, float), RUN),
            "lead": (("lead",), np.array(steps, float), LEAD),
            "time": (("forecast_reference_time", "lead"), valid, since("time")),
            "v": (("forecast_reference_time", "lead", "lat", "lon"), values, {"units": "K"}),
        },
    )


def one_run(path, run, steps):
    """As cfgrib and xarray write it: the run is a scalar, steps in days here."""
    values = np.array([value(run, step) for step in steps])
    days = {"long_name": "time since forecast_reference_time", "units": "days"}
    return file_of(
        path,
        {"step": len(steps)},
        {
            "time": ((), float(run), RUN),
            "step": (("step",), np.array(steps) / 24, days),
            "valid_time": (("step",), run + np.array(steps, float), since("time")),
            "v": (("step", "lat", "lon"), values, {"units": "K", "coordinates": "time valid_time"}),
        },
    )


def valid_times(path, run, steps, *, said=True):
    values = np.array([value(run, step) for step in steps])
    variables = {
        "time": (("time",), run + np.array(steps, float), since("time")),
        "v": (("time", "lat", "lon"), values, {"units": "K"}),
    }
    if said:
        variables["forecast_reference_time"] = ((), float(run), RUN)
    return file_of(path, {"time": len(steps)}, variables)


def check(cube, runs, steps, held=lambda _run, _step: True):
    time, axis = cube.description.domain.axes
    assert (time.name, axis.name, axis.uom) == ("reference_time", "step", "h")
    assert [text[:13] for text in time.iso] == [
        f"2020-01-{1 + run // 24:02d}T{run % 24:02d}" for run in runs
    ]
    assert list(axis_values(axis)) == steps
    for t, run in enumerate(runs):
        found = whole(cube, "v", t)
        for place, step in enumerate(steps):
            if held(run, step):
                np.testing.assert_array_equal(found[place], value(run, step))
            else:
                assert np.isnan(found[place]).all()


@pytest.mark.parametrize("write", [both_axes, one_run])
def test_a_file_with_an_axis_of_lead_times(tmp_path, write):
    store = str(tmp_path / "store")
    path = write(tmp_path / "f.nc", [6] if write is both_axes else 6, [0, 12, 24])
    assert ingest([path], store=store).exit_code == 0
    check(opened(store, "f"), [6], [0, 12, 24])


def test_runs_of_one_file(tmp_path):
    store = str(tmp_path / "store")
    assert ingest([both_axes(tmp_path / "f.nc", [0, 12], [6])], store=store).exit_code == 0
    check(opened(store, "f"), [0, 12], [6])


def test_daily_runs_of_several_lengths_are_one_cube(tmp_path):
    store = str(tmp_path / "store")
    first = valid_times(tmp_path / "f_20200101.nc", 0, [0, 12, 24])
    second = one_run(tmp_path / "f_20200102.nc", 12, [0, 12, 24, 36])
    third = both_axes(tmp_path / "f_20200103.nc", [24], [12])
    report = ingest([second, third, first], store=store, recipe=FORECAST)
    assert report.exit_code == 0, report
    lengths = {0: 24, 12: 36}
    cube = opened(store, "f")
    check(
        cube,
        [0, 12, 24],
        [0, 12, 24, 36],
        lambda run, step: step == 12 if run == 24 else step <= lengths[run],
    )
    before = cube.snapshot
    assert ingest([third, second, first], store=store, recipe=FORECAST).exit_code == 0
    assert opened(store, "f").snapshot == before


def test_the_run_that_a_file_does_not_say(tmp_path):
    store = str(tmp_path / "store")
    path = valid_times(tmp_path / "f.nc", 6, [0, 12], said=False)
    refused = ingest([path], store=store, recipe=FORECAST).results[0]
    assert "does not say its run" in refused.reason
    assert ingest([path], store=store, run="2020-01-01T06:00").exit_code == 0
    check(opened(store, "f"), [6], [0, 12])


def test_without_a_wish_valid_times_stay_the_axis(tmp_path):
    store = str(tmp_path / "store")
    assert ingest([valid_times(tmp_path / "f.nc", 6, [0, 12])], store=store).exit_code == 0
    cube = opened(store, "f")
    assert [axis.name for axis in cube.description.domain.axes] == ["time"]
    ((record, _),) = cube.record.sources.values()
    assert record.attributes["reference_time"] == "2020-01-01T06:00:00Z"
