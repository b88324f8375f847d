"""Axes beside time that grow: scenarios and members by label, levels by number, in any order."""

from itertools import permutations

import netCDF4
import numpy as np
import pytest
import xarray

from datacube.config.products import AxisSettings, RecipeSettings
from datacube.ingest.pipeline import ingest
from datacube.model.axis import axis_values
from datacube.store.compact import compact
from datacube.store.maintain import verify
from datacube.store.url import open_store
from tests.unit.ingest.products import opened, plane, whole, write_netcdf

SCENARIO = RecipeSettings(cube="air", axes=(AxisSettings("scenario", file=r"_(A1B|E1|B2)_"),))
LON, LAT = np.arange(40) * 0.25, -np.arange(30) * 0.25


def run_of(folder, scenario, days, add, stage="", **options):
    """Values plane(position) + add for each day, of one scenario."""
    path = folder / f"air_{scenario}_{days[0]:02d}{stage}.nc"
    times = tuple(float(day) for day in days)
    write_netcdf(path, times=times, lon=LON, lat=LAT, scale=None, **options)
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_maskandscale(False)
        file["v"][:] += add
        file.scenario_id = scenario
    return str(path)


def labels(cube, axis="scenario"):
    return tuple(axis_values(next(one for one in cube.description.domain.axes if one.name == axis)))


def values_by_label(cube):
    """Values by day and scenario, what is nothing but no data left out."""
    found = {}
    for t, iso in enumerate(cube.description.domain.time.iso):
        for place, label in enumerate(labels(cube)):
            values = whole(cube, "v", t)[place]
            if (values != -1).any():
                found[iso[:10], label] = values.tobytes()
    return found


def test_a_scenario_is_added_beside_another(tmp_path):
    store = str(tmp_path / "store")
    for scenario, add in (("A1B", 0), ("E1", 5)):
        report = ingest([run_of(tmp_path, scenario, (1, 2), add)], store=store, recipe=SCENARIO)
        assert report.exit_code == 0, report
        assert report.results[0].slices_added == 2
    cube = opened(store, "air")
    assert [axis.name for axis in cube.description.domain.axes] == ["time", "scenario"]
    assert labels(cube) == ("A1B", "E1")
    for t in range(2):
        np.testing.assert_array_equal(whole(cube, "v", t), [plane(30, 40, t), plane(30, 40, t) + 5])
    assert verify(cube) == []
    assert {one.attributes["scenario"] for one, _ in cube.record.sources.values()} == {"A1B", "E1"}
    compact(open_store(store), "air")
    with xarray.open_zarr(f"{store}/air", mask_and_scale=False) as found:
        np.testing.assert_array_equal(found.v[1].values, whole(cube, "v", 1))


def test_statistics_and_overviews_are_those_of_one_ingest(tmp_path):
    """As a cube that had both from the beginning, whatever grew when."""
    recipe = RecipeSettings(cube="air", chunk=8, series=2, axes=SCENARIO.axes)
    for name, order in (("one", ("A1B", "E1")), ("other", ("E1", "A1B"))):
        for scenario in order:
            path = run_of(tmp_path, scenario, (1, 2), 5 if scenario == "E1" else 0)
            assert ingest([path], store=str(tmp_path / name), recipe=recipe).exit_code == 0
    one, other = (opened(tmp_path / name, "air") for name in ("one", "other"))
    assert one.statistics("v") == other.statistics("v")
    top = one.description.levels[-1].number
    assert top > 0
    for chosen in ((0, 0), (1, 1)):
        mine = one.chunk("v", top, (0, chosen[0], 0, 0))
        its = other.chunk("v", top, (0, 1 - chosen[0], 0, 0))
        np.testing.assert_array_equal(mine, its)
    copy = one.series("v")
    assert copy is not None
    np.testing.assert_array_equal(copy.chunk(0, (1, 0, 0))[0, 0], plane(30, 40, 0)[:16, :16] + 5)


def test_any_order_gives_the_same_values(tmp_path):
    sources = [
        run_of(tmp_path, "A1B", (1, 2), 0, "_preliminary"),
        run_of(tmp_path, "A1B", (1,), 7),
        run_of(tmp_path, "E1", (2, 3), 5),
        run_of(tmp_path, "E1", (2,), 9, "_final"),
    ]
    expected = None
    for number, order in enumerate(permutations(sources)):
        store = str(tmp_path / f"store{number}")
        report = ingest([*order, order[0]], store=store, recipe=SCENARIO)
        assert report.exit_code == 0, report
        found = values_by_label(opened(store, "air"))
        expected = expected or found
        assert found == expected
    assert expected is not None
    assert {key: int(np.frombuffer(one, "i2")[0]) for key, one in expected.items()} == {
        ("2020-01-02", "A1B"): 7,
        ("2020-01-03", "A1B"): 1000,
        ("2020-01-03", "E1"): 9,
        ("2020-01-04", "E1"): 1005,
    }


@pytest.mark.parametrize(
    "axis",
    [AxisSettings("scenario", label="A1B"), AxisSettings("scenario", attribute="scenario_id")],
)
def test_the_place_comes_from_the_recipe_or_an_attribute(tmp_path, axis):
    path = run_of(tmp_path, "A1B", (1,), 0)
    store = str(tmp_path / "store")
    assert (
        ingest([path], store=store, recipe=RecipeSettings(cube="air", axes=(axis,))).exit_code == 0
    )
    assert labels(opened(store, "air")) == ("A1B",)


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (AxisSettings("scenario", attribute="absent"), "it has no attribute 'absent'"),
        (AxisSettings("scenario", file="rcp"), "its name does not fit 'rcp'"),
        (AxisSettings("time", label="x"), "has an axis 'time' itself"),
    ],
)
def test_a_source_without_a_place_is_refused(tmp_path, axis, words):
    path = run_of(tmp_path, "A1B", (1,), 0)
    recipe = RecipeSettings(cube="air", axes=(axis,))
    report = ingest([path], store=str(tmp_path / "store"), recipe=recipe)
    assert words in report.results[0].reason


def levels_file(path, depths, day, add=0):
    """plane(0) + 1000 for each depth + add, at one day."""
    with netCDF4.Dataset(path, "w") as file:
        for name, values, unit in (
            ("time", [float(day)], "days since 2020-01-01"),
            ("depth", depths, "m"),
            ("lat", LAT, "degrees_north"),
            ("lon", LON, "degrees_east"),
        ):
            file.createDimension(name, len(values))
            one = file.createVariable(name, "f8", (name,))
            one.units = unit
            one[:] = values
        v = file.createVariable("v", "f4", ("time", "depth", "lat", "lon"))
        for place, depth in enumerate(depths):
            v[0, place] = plane(30, 40) + depth + add
    return str(path)


def test_levels_that_go_on_are_added_and_fewer_are_filled(tmp_path):
    store = str(tmp_path / "store")
    files = [
        levels_file(tmp_path / "d_1.nc", [0.0, 10.0], 1),
        levels_file(tmp_path / "d_2.nc", [10.0, 30.0], 1, 0.5),
        levels_file(tmp_path / "d_3.nc", [30.0], 2),
    ]
    assert ingest(files, store=store, cube="d").exit_code == 0
    cube = opened(store, "d")
    assert labels(cube, "depth") == (0.0, 10.0, 30.0)
    first, second = whole(cube, "v", 0), whole(cube, "v", 1)
    for place, value in enumerate((0.0, 10.5, 30.5)):
        np.testing.assert_array_equal(first[place], plane(30, 40) + value)
    assert np.isnan(second[:2]).all()
    np.testing.assert_array_equal(second[2], plane(30, 40) + 30)
    between = ingest([levels_file(tmp_path / "d_4.nc", [20.0], 3)], store=store, cube="d")
    assert "other places along the axis 'depth'" in between.results[0].reason


def test_writers_of_two_scenarios_both_go_in(tmp_path, monkeypatch):
    """What comes in between is seen: the slower one starts again from its state."""
    store = str(tmp_path / "store")
    first, second, third = (
        run_of(tmp_path, name, (1,), add) for name, add in (("A1B", 0), ("E1", 5), ("B2", 9))
    )
    ingest([first], store=store, recipe=SCENARIO)
    from datacube.ingest import write

    stand, waiting = write._stand, [third]

    def overtaken(change, granule):
        if waiting:
            assert ingest([waiting.pop()], store=store, recipe=SCENARIO).exit_code == 0
        stand(change, granule)

    monkeypatch.setattr(write, "_stand", overtaken)
    assert ingest([second], store=store, recipe=SCENARIO).exit_code == 0
    cube = opened(store, "air")
    assert labels(cube) == ("A1B", "B2", "E1")
    np.testing.assert_array_equal(whole(cube, "v"), [plane(30, 40) + add for add in (0, 9, 5)])
