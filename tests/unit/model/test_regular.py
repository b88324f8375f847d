"""Regular axes out of rounded coordinates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.model.regular import regular, simplest, unwrapped


@pytest.mark.parametrize("stored", ["float32", "float64"])
@pytest.mark.parametrize(
    ("origin", "step", "count"),
    [(0.125, 0.25, 1440), (-51, 1 / 12, 241), (90, -0.15, 1201), (20.5, 1, 360), (-180, 0.1, 3600)],
)
def test_rounded_coordinates_give_the_exact_origin_and_step(origin, step, count, stored):
    rounded = (origin + np.arange(count) * step).astype(stored).astype(float)
    found = regular(rounded, stored)
    assert found is not None
    assert found[0] == origin
    assert found[1] == pytest.approx(step, rel=1e-15)


def test_coordinates_that_were_summed_up_are_regular():
    summed = np.cumsum(np.full(1201, 0.15)) - 90.15
    assert regular(summed) == (-90.0, 0.15)


def test_gaussian_latitudes_are_not_regular():
    latitudes = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(96)[0]))
    assert regular(latitudes) is None


@pytest.mark.parametrize("values", [[1.0], [0, 1, 3], [5, 5, 5], [0, np.nan, 2]])
def test_no_line_no_axis(values):
    assert regular(np.array(values, float)) is None


def test_a_seam_inside_the_file_is_unwrapped():
    assert regular(unwrapped(np.array([359.55, 359.65, 359.75, 359.85, 359.95, 0.05])))


@given(st.fractions(min_value=-400, max_value=400, max_denominator=1000))
def test_the_simplest_fraction_finds_a_fraction_again(fraction):
    near = float(fraction)
    assert simplest(near - 1e-8, near + 1e-8) == fraction
