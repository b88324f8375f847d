"""Rules of selection by name, on each kind of axis."""

import json

import numpy as np
import pytest

from tests.protocol.wcs201.service import closed


def sizes(service, query):
    found = service.netcdf(f"CoverageId={query}")
    return {str(name): size for name, size in found.sizes.items()}


@pytest.mark.parametrize(
    ("rule", "columns"),
    [("cells", 6), ("inside", 5), ("strict-inside", 5), ("nearest", 6), ("outside", 7)],
)
def test_columns_of_each_rule(service, rule, columns):
    """Centres lie at -19, -17 … 19: seven enclose -9.5 … 0.5, five lie within."""
    query = f"air&SUBSET=Long(-9.5,0.5)&SUBSET=Lat(40,46)&SELECTION={rule}"
    assert sizes(service, query)["lon"] == columns
    named = f"air&SUBSET=Long(-9.5,0.5)&SUBSET=Lat(40,46)&SELECTION=Long({rule})"
    assert sizes(service, named) == sizes(service, query) | {"lat": 3}


@pytest.mark.parametrize(
    ("rule", "steps"),
    [("cells", 1), ("inside", 1), ("nearest", 2), ("outside", 3)],
)
def test_steps_of_each_rule(service, rule, steps):
    """Steps on 1, 2, 5 January at noon and 1 February."""
    span = "SUBSET=ansi(%222020-01-03T10:00:00Z%22,%222020-01-06T00:00:00Z%22)"
    found = sizes(service, f"air&{span}&SELECTION=time({rule})")
    assert found.get("time", 1) == steps


def test_a_date_means_its_steps_whatever_the_rule(service):
    span = "SUBSET=ansi(2020-01-01,2020-01-05)"
    for rule in ("cells", "inside", "strict-inside", "nearest", "outside"):
        assert sizes(service, f"air&{span}&SELECTION={rule}")["time"] == 3


@pytest.mark.parametrize(
    ("rule", "levels"), [("cells", [10]), ("nearest", [0.5, 10, 100]), ("outside", [0.5, 10, 100])]
)
def test_levels_of_each_rule(service, rule, levels):
    found = service.netcdf(f"CoverageId=ocean&SUBSET=depth(3,60)&SELECTION=depth({rule})")
    assert found["depth"].values.tolist() == levels


@pytest.mark.parametrize(
    "subset",
    ["Long(-25,0)", "Lat(40,55)", "ansi(2019-12-01,2020-01-05)", "ansi(2020-01-02,2020-03)"],
)
def test_strict_inside_refuses_what_leaves_the_axis(service, subset):
    response = service.ask("GetCoverage", f"CoverageId=air&SUBSET={subset}&SELECTION=strict-inside")
    assert response.status == 404
    assert b"InvalidSubsetting" in response.body
    assert b"runs from" in response.body
    assert service.get(f"CoverageId=air&SUBSET={subset}&SELECTION=inside&FORMAT=text/csv")


def test_nothing_inside_is_said(service):
    response = service.ask("GetCoverage", "CoverageId=air&SUBSET=Lat(40.1,40.2)&SELECTION=inside")
    assert response.status == 404
    assert b"no centre of a cell lies in the interval; cells are 2 wide" in response.body


def test_an_unknown_rule_or_axis_is_refused_with_a_list(service):
    wrong = service.ask("GetCoverage", "CoverageId=air&SUBSET=Lat(40,46)&SELECTION=closest")
    assert wrong.status == 400
    assert b"cells, nearest, inside, strict-inside, outside" in wrong.body
    axis = service.ask("GetCoverage", "CoverageId=air&SUBSET=Lat(40,46)&SELECTION=height(nearest)")
    assert axis.status == 404
    twice = "SELECTION=Lat(nearest),y(inside)"
    assert service.ask("GetCoverage", f"CoverageId=air&{twice}").status == 400
    half = service.ask("GetCoverage", "CoverageId=air&SELECTION=Lat(nearest")
    assert half.status == 400


def test_a_rule_holds_for_a_box_in_another_crs(service):
    box = "SUBSET=x(500020,500041)&SUBSET=y(4999900,4999940)"
    for rule, columns in (("inside", 2), ("outside", 4)):
        found = sizes(service, f"bands&{box}&SELECTION={rule}")
        assert found["x"] == columns


class TestMask:
    """``MASK``: stored values stay what they are where it is true."""

    DAY = "CoverageId=air&SUBSET=ansi(2020-01-02)"

    def test_stored_numbers_are_kept(self, service):
        values, profile, _ = service.tiff(f"{self.DAY}&MASK=t2m<283.65")
        rows, columns = np.indices((10, 20))
        stored = closed(1, rows, columns)
        np.testing.assert_array_equal(values[0], np.where(stored < 1050, stored, -9999))
        assert profile["dtype"] == "int32"

    def test_classes_by_label(self, service):
        query = "CoverageId=model&SUBSET=scenario(a1b)&SUBSET=ansi(1999-02-29)"
        found, other = (
            service.netcdf(f"{query}&MASK={mask}", mask_and_scale=False)["kind"].values
            for mask in ("kind:warm,cold", "!kind:2")
        )
        rows, columns = np.indices((10, 20))
        stored = closed(0, rows, columns)
        np.testing.assert_array_equal(found == stored, np.isin(stored, (1, 2)))
        np.testing.assert_array_equal(other == stored, stored != 2)

    def test_another_field_decides(self, service):
        query = "CoverageId=ocean&SUBSET=ansi(2020-01-01)&SUBSET=depth(0.5)&RANGESUBSET=v"
        values = service.netcdf(f"{query}&MASK=u>=50")["v"].values
        rows, columns = np.indices((10, 20))
        stored = closed(0, rows, columns)
        np.testing.assert_array_equal(values, np.where(stored >= 50, stored + 1.0, np.nan))

    def test_before_steps_are_made_one(self, service):
        found = service.netcdf("CoverageId=air&AGG=count&MASK=t2m<283.65")["t2m"].values
        rows, columns = np.indices((10, 20))
        steps = [closed(t, rows, columns) < 1050 for t in range(4)]
        np.testing.assert_array_equal(found, np.sum(steps, axis=0))

    def test_the_plan_counts_what_the_mask_reads(self, service):
        query = (
            "CoverageId=ocean&SUBSET=ansi(2020-01-01)&SUBSET=depth(0.5)&RANGESUBSET=v&DRYRUN=true"
        )
        alone, masked = (
            json.loads(service.get(f"{query}{mask}").body)["chunks"] for mask in ("", "&MASK=u>=50")
        )
        assert masked == 2 * alone

    @pytest.mark.parametrize(
        ("mask", "words"),
        [
            ("nothing>1", "nothing"),
            ("kind:hot", "its classes are 1 (warm), 2 (cold)"),
            ("kind >", "MASK"),
        ],
    )
    def test_refusals(self, service, mask, words):
        status, _, locator, text = service.refused(f"CoverageId=model&MASK={mask}")
        assert status in {400, 404}
        assert words in f"{locator} {text}"
