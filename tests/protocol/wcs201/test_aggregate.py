"""``AGG`` on GetCoverage: axes, periods, windows and several methods, by value."""

import numpy as np
import pytest


def fields(service, query):
    return service.netcdf(f"CoverageId={query}")


def test_the_valid_count_stands_beside_the_result(service):
    steps = fields(service, "air&SUBSET=Lat(40,46)")["t2m"].values
    found = fields(service, "air&SUBSET=Lat(40,46)&AGG=mean,count,p97.5")
    assert set(found.data_vars) >= {"t2m_mean", "t2m_count", "t2m_p97_5"}
    np.testing.assert_allclose(found["t2m_mean"].values, np.nanmean(steps, axis=0), rtol=1e-9)
    np.testing.assert_array_equal(found["t2m_count"].values, np.isfinite(steps).sum(axis=0))
    np.testing.assert_allclose(
        found["t2m_p97_5"].values, np.nanpercentile(steps, 97.5, axis=0), rtol=1e-9
    )
    assert list(fields(service, "air&AGG=mean").data_vars).count("t2m") == 1


@pytest.mark.parametrize(
    ("query", "axes", "left"),
    [
        ("OVER=depth", (1,), "time"),
        ("OVER=depth,ansi", (0, 1), None),
        ("OVER=time", (0,), "depth"),
        ("", (0,), "depth"),
    ],
)
def test_places_of_any_axes_become_one(service, query, axes, left):
    every = fields(service, "ocean")
    name = next(str(one) for one in every.data_vars if every[one].ndim == 4)
    found = fields(service, f"ocean&AGG=mean&RANGESUBSET={name}&{query}")[name]
    np.testing.assert_allclose(
        found.values, np.nanmean(every[name].values.astype(float), axis=axes), rtol=1e-9
    )
    assert (found.dims[0] == left) == (left is not None)


def test_a_trim_of_the_axis_comes_first(service):
    every = fields(service, "ocean")
    name = next(str(one) for one in every.data_vars if every[one].ndim == 4)
    query = f"ocean&AGG=max&OVER=depth&SUBSET=depth(5,200)&RANGESUBSET={name}"
    np.testing.assert_array_equal(
        fields(service, query)[name].values, every[name].values[:, 1:].max(axis=1)
    )


def test_a_rolling_window_ends_at_each_step(service):
    """Steps on 1, 2, 5 January at noon and 1 February."""
    steps = fields(service, "air")["t2m"].values
    found = fields(service, "air&AGG=mean&WINDOW=2")
    assert found.sizes["time"] == 3
    for number in range(3):
        wanted = np.nanmean(steps[number : number + 2], axis=0)
        np.testing.assert_allclose(found["t2m"].values[number], wanted, rtol=1e-9)
    assert str(found["time"].values[-1]).startswith("2020-02-01")


def test_months_of_360_days(service):
    """Steps on 29 and 30 February, and on 1 March."""
    found = fields(service, "model&AGG=mean,count&PERIOD=month")
    assert found["kind_count"].values[:, 0, 0, 0].tolist() == [2, 1]
    assert found["kind_mean"].values[:, 0, 0, 0].tolist() == [500, 2000]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("air&AGG=mean&OVER=Long", b"AGG makes places of time one"),
        ("air&AGG=mean&WINDOW=9", b"no window of 9 is whole within the 4 steps"),
        ("air&AGG=mean&WINDOW=week", b"no window"),
        ("air&AGG=mean&WINDOW=2&PERIOD=month", b"not both"),
        ("ocean&AGG=mean&OVER=depth&PERIOD=month", b"part the time"),
        ("air&PERIOD=month", b"agg"),
        ("air&AGG=leastcloudy", b"BY=cloud_fraction"),
        ("air&AGG=mean&BY=t2m", b"takes none"),
        ("air&AGG=average-ish", b"no way to reduce"),
    ],
)
def test_what_cannot_be_meant_is_refused(service, query, words):
    response = service.ask("GetCoverage", f"CoverageId={query}")
    assert 400 <= response.status < 500
    assert words in response.body


def test_the_coldest_step_of_each_cell(service):
    steps = fields(service, "air")["t2m"].values
    found = fields(service, "air&AGG=leastcloudy&BY=t2m")["t2m"].values
    np.testing.assert_allclose(found, np.nanmin(steps, axis=0), rtol=1e-6)
