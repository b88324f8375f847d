"""Views of closed-form forecasts, chunk by chunk."""

from itertools import count

import numpy as np
import pytest
import xarray as xr

from datacube.config.settings import Config
from datacube.engine.catalog import Catalog
from datacube.engine.context import open_context
from datacube.engine.forecast import best_view
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.store.cache import ChunkCache
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.forecasts import BEST, RUNS, add_runs, make_forecast

LEVELS = IrregularAxis("isobaric", np.array([850.0, 500.0]), "hPa", "air_pressure")
MEMBERS = IndexAxis("number", 3)
CELLS = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]


@pytest.mark.parametrize(
    ("before", "after"), [((), ()), ((), (LEVELS,)), ((MEMBERS,), ()), ((MEMBERS,), (LEVELS,))]
)
def test_every_chunk_is_that_of_its_run_and_step(tmp_path, before, after):
    view = best_view(make_forecast(tmp_path, before=before, after=after), "best")
    time, *others = view.description.domain.axes
    assert [axis.name for axis in others] == [axis.name for axis in (*before, *after)]
    counts = view.chunk_counts("v")
    assert counts[: len(view.description.domain.axes)] == view.description.domain.shape[:-2]
    for t, (run, step) in enumerate(map(BEST.get, time.iso)):
        sizes = view.chunk_sizes("v", 0, t)
        assert sizes.shape == counts[1:]
        for place in np.ndindex(*counts[1:]):
            found = view.chunk("v", 0, (t, *place))
            assert found.shape == view.chunk_shape("v")
            expected = 1000 * run + 100 * step + 10_000 * sum(place[:-2]) + CELLS
            np.testing.assert_array_equal(found.reshape(found.shape[-2:])[:5, :10], expected)
            assert sizes[place] > 0


def test_valid_times_are_those_that_are_held(tmp_path):
    view = best_view(make_forecast(tmp_path), "best")
    assert view.description.domain.time.iso == tuple(BEST)
    assert view.origin(5) == {"reference_time": "2020-01-02T00:00:00Z", "step": 36.0}


def test_one_run_one_lead_and_both(tmp_path):
    view = best_view(make_forecast(tmp_path), "best")
    run = view.narrowed(1, None)
    assert run.times.steps.tolist() == [0, 1, 3]
    assert set(run.times.runs.tolist()) == {1}
    lead = view.narrowed(None, 2)
    assert lead.description.domain.time.iso == ("2020-01-02T00:00:00Z", "2020-01-04T00:00:00Z")
    assert view.narrowed(1, 3).description.domain.time.iso == ("2020-01-03T12:00:00Z",)
    assert view.narrowed(1, 2).empty
    names = {view.snapshot, run.snapshot, lead.snapshot, view.narrowed(1, 3).snapshot}
    assert len(names) == 4


@pytest.mark.parametrize("said", [{}, {"standard_name": "forecast_reference_time"}])
def test_a_chunk_of_others_that_holds_several_runs_and_steps(tmp_path, said):
    runs = np.array(["2020-01-01", "2020-01-01T12"], "datetime64[ns]")
    r, s, y, x = np.ogrid[:2, :5, :4, :6]
    values = (1000 * r + 100 * s + 10 * y + x).astype("float32")
    encoding = {"v": {"chunks": (2, 3, 4, 6)}, "step": {"dtype": "int32"}}
    xr.Dataset(
        {"v": (("time", "step", "lat", "lon"), values)},
        {
            "time": ("time", runs, said),
            "step": ("step", np.arange(5) * 6, {"units": "hours", "long_name": "forecast_period"}),
            "lat": ("lat", np.arange(4.0), {"units": "degrees_north"}),
            "lon": ("lon", np.arange(6.0), {"units": "degrees_east"}),
        },
    ).to_zarr(tmp_path / "others", encoding=encoding, zarr_format=3, consolidated=False)
    view = open_context(str(tmp_path), Config()).catalog.cube("others__best").view
    assert view.description.domain.time.size == 7
    wanted = [(t, 0, 0) for t in range(7)]
    groups = view.groups("v", 0, wanted)
    assert sorted(index for group in groups for index in group) == wanted
    assert len(groups) == 2
    pairs = [(0, 0), (0, 1), *((1, step) for step in range(5))]
    for group in groups:
        for (t, _, _), found in zip(group, view.chunks("v", 0, group), strict=True):
            assert found.shape == view.chunk_shape("v") == (1, 4, 6)
            np.testing.assert_array_equal(found[0], values[pairs[t]])


def test_a_state_names_the_slice_and_the_step(tmp_path):
    source = make_forecast(tmp_path)
    view = best_view(source, "best")
    states = [view.state_of(t) for t in range(7)]
    assert len(set(states)) == 7
    add_runs(tmp_path, "model", ("2020-01-04",), (3,))
    newer = view.refreshed()
    assert newer is not view
    assert view.refreshed().refreshed() is not view
    assert [newer.state_of(t) for t in range(6)] == states[:6]
    assert newer.state_of(6) != states[6]  # the new run has this time too
    assert newer.refreshed() is newer


def test_a_cube_without_lead_times_has_no_view(tmp_path):
    assert best_view(make_cube(tmp_path, times=RUNS), "best") is None


def test_the_catalogue_has_the_view_behind_its_cube(tmp_path):
    make_forecast(tmp_path)
    make_cube(tmp_path, "other")
    context = open_context(str(tmp_path), Config())
    assert [cube.id for cube in context.catalog.cubes()] == ["model", "model__best", "other"]
    assert [cube.id for cube in context.catalog.pictured()] == ["model", "other"]
    assert context.catalog.layer("model.v").cube is context.catalog.cube("model__best")
    assert context.catalog.layer("model__best.v").cube is context.catalog.cube("model__best")
    assert context.catalog.cube("model").description.domain.shape == (3, 4, 5, 10)
    assert context.catalog.cube("model__best").description.domain.shape == (7, 5, 10)


def test_a_new_run_and_a_cube_of_the_name_of_a_view(tmp_path):
    make_forecast(tmp_path)
    seconds = count(0, 2)
    store = open_store(str(tmp_path))
    catalog = Catalog(store, Config(), ChunkCache(), lambda: float(next(seconds)))
    assert catalog.cube("model__best").description.domain.time.size == 7
    add_runs(tmp_path, "model", ("2020-01-05",), (3,))
    assert catalog.cube("model__best").description.domain.time.size == 11
    make_cube(tmp_path, "model__best")
    assert catalog.cube("model__best").view is None
    assert catalog.layer("model.v").cube.view is not None
