"""Selection rules, seams and times, against brute force over cell centres and areas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import InvalidSubset, SubsetOutOfDomain
from datacube.model.axis import IndexAxis, IrregularAxis, TimeAxis
from datacube.model.query import Slice, Trim
from datacube.model.time import Timestamp
from datacube.slicing.select import CellRow, Span, select_cells, slice_cell
from datacube.slicing.select_axis import nearest_place, select_places

LAT = CellRow("Lat", 90.0, -0.5, 360)
GLOBE = CellRow("Long", -180.0, 0.5, 720, wraps=True, turn=360.0)
REGION = CellRow("Long", 200.0, 1.0, 100, turn=360.0)


@given(st.floats(-80, 79), st.floats(0.01, 10))
def test_cells_are_those_that_overlap(low, length):
    span = select_cells(LAT, low, low + length, "cells")
    edges = 90.0 - 0.5 * np.arange(361)
    overlap = np.minimum(edges[:-1], low + length) - np.maximum(edges[1:], low)
    expected = np.flatnonzero(overlap > 0.5e-6)
    assert (span.start, span.stop) == (expected[0], expected[-1] + 1)


@given(st.floats(-80, 79), st.floats(1.01, 10))
def test_inside_takes_centres(low, length):
    span = select_cells(LAT, low, low + length, "inside")
    centres = 89.75 - 0.5 * np.arange(360)
    expected = np.flatnonzero((centres >= low - 1e-6) & (centres <= low + length + 1e-6))
    assert (span.start, span.stop) == (expected[0], expected[-1] + 1)


@given(st.floats(-80, 79), st.floats(1.01, 10))
def test_nearest_is_inclusive_at_both_ends(low, length):
    span = select_cells(LAT, low, low + length, "nearest")
    centres = 89.75 - 0.5 * np.arange(360)
    for index, end in ((span.start, low + length), (span.stop - 1, low)):
        distances = np.abs(centres - end)
        assert distances[index] <= distances.min() + 1e-6


def test_the_three_rules_of_the_reference_request():
    x = CellRow("Long", -18.125 - 1 / 48, 1 / 24, 1306)
    low, high = 1.2499305555556701, 12.499305555555678
    columns = {
        rule: select_cells(x, low, high, rule).size for rule in ("inside", "nearest", "outside")
    }
    assert columns == {"inside": 270, "nearest": 271, "outside": 272}


def test_exact_edges_take_no_neighbour():
    span = select_cells(LAT, 40.0, 50.0, "cells")
    assert (span.start, span.stop) == (80, 100)
    noisy = select_cells(LAT, 40.0 - 1e-9, 50.0 + 1e-9, "cells")
    assert (noisy.start, noisy.stop) == (80, 100)


@pytest.mark.parametrize(
    ("row", "low", "high", "expected"),
    [
        (GLOBE, 170.0, -170.0, (700, 740)),
        (GLOBE, 170.0, 190.0, (700, 740)),
        (GLOBE, -190.0, -170.0, (-20, 20)),
        (GLOBE, 350.0, 370.0, (340, 380)),
        (GLOBE, 0.0, 360.0, (0, 720)),
        (REGION, -160.0, -150.0, (0, 10)),
        (REGION, 210.0, 220.0, (10, 20)),
        (REGION, -100.0, -61.0, (60, 99)),
    ],
)
def test_longitudes_find_their_turn(row, low, high, expected):
    span = select_cells(row, low, high, "cells")
    whole = row.size
    assert span.size == expected[1] - expected[0]
    assert (span.start - expected[0]) % whole == 0 if row.wraps else span.start == expected[0]


@pytest.mark.parametrize(
    ("point", "start"), [(0.0, 0), (3.0, 3), (3.5, 3), (10.0, 9), (10.0 + 1e-9, 9)]
)
def test_an_interval_without_length_takes_the_cell_that_holds_it(point, start):
    row = CellRow("x", 0.0, 1.0, 10)
    assert select_cells(row, point, point, "cells") == Span(start, start + 1)
    beyond = CellRow("x", 0.0, -1.0, 10)
    assert select_cells(beyond, -point, -point, "cells") == Span(start, start + 1)


@pytest.mark.parametrize("point", [-0.1, 10.1])
def test_an_interval_without_length_beside_the_axis_is_refused(point):
    with pytest.raises(SubsetOutOfDomain):
        select_cells(CellRow("x", 0.0, 1.0, 10), point, point, "cells")


def test_beyond_the_axis_is_clamped_or_refused():
    span = select_cells(LAT, 80.0, 95.0, "cells")
    assert (span.start, span.stop, span.clamped) == (0, 20, True)
    with pytest.raises(SubsetOutOfDomain, match="runs from -90 to 90"):
        select_cells(LAT, 91.0, 95.0, "cells")
    with pytest.raises(InvalidSubset, match="low 5 is above high 4"):
        select_cells(LAT, 5.0, 4.0, "cells")
    for low, high, end in ((None, -91.0, "-91"), (91.0, None, "91")):
        with pytest.raises(SubsetOutOfDomain, match=f"Lat: {end} is outside; the axis runs"):
            select_cells(LAT, low, high, "cells")
    north = CellRow("N", 5_700_000.0, -10.0, 10_980)
    with pytest.raises(SubsetOutOfDomain, match=r"N: 91 is .* from 5590200 to 5700000"):
        slice_cell(north, 91.0)


def test_a_slice_is_the_cell_that_holds_the_point():
    assert slice_cell(LAT, 89.9).start == 0
    assert slice_cell(LAT, 90.0).start == 0
    assert slice_cell(LAT, -90.0).start == 359
    assert slice_cell(REGION, -160.0).start == 0
    with pytest.raises(SubsetOutOfDomain):
        slice_cell(LAT, 90.5)


DAYS = TimeAxis("time", np.arange(10) * 86_400_000)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("1970-01-03", 2),
        ("1970-01-03T00:00:00.000Z", 2),
        ("1970-01-03T11:59Z", 2),
        ("1970-01-03T13:00Z", 3),
        ("1970-01", 9),
        ("1970-01-11T00:00Z", None),
        ("1969-12-31T12:00Z", 0),
        ("1969-12-31T11:59:59Z", None),
    ],
)
def test_nearest_time_within_half_a_step(text, index):
    assert nearest_place(DAYS, Timestamp.parse(text)) == index


def test_trims_of_time_are_inclusive():
    span = select_places(
        DAYS, Trim("t", Timestamp.parse("1970-01-02"), Timestamp.parse("1970-01-04"))
    )
    assert (span.start, span.stop, span.clamped) == (1, 4, False)
    beyond = select_places(DAYS, Trim("t", Timestamp.parse("1970-01-05"), Timestamp.parse("1972")))
    assert (beyond.start, beyond.stop, beyond.clamped) == (4, 10, True)
    with pytest.raises(SubsetOutOfDomain, match="1970-01-10"):
        select_places(DAYS, Trim("t", Timestamp.parse("1980"), None))


def test_levels_find_either_sign():
    depth = IrregularAxis("depth", np.array([0.494025, 1.541375, 2.645669]), "m")
    assert nearest_place(depth, -0.5) == 0
    assert nearest_place(depth, 2.0) == 1
    assert nearest_place(depth, 1000.0) is None


def test_labels_are_found_by_text():
    scenario = IndexAxis("scenario", 2, labels=("a1b", "e1"))
    assert select_places(scenario, Slice("scenario", "e1")).start == 1
    with pytest.raises(SubsetOutOfDomain, match="a1b"):
        select_places(scenario, Slice("scenario", "ssp585"))


def test_absurd_bounds_are_outside_and_no_overflow():
    for row in (LAT, REGION):
        with pytest.raises(SubsetOutOfDomain):
            slice_cell(LAT, 1e308)
        whole = select_cells(row, -1e308, 1e308, "cells")
        assert whole.size == row.size
    assert select_cells(GLOBE, -1e308, 1e308, "cells").size == 720
