"""Any box, through every step of a request, gives exactly the cells that it overlaps."""

from math import ceil, floor

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tests.protocol.wcs201.service import closed

_TINY = 1e-6


def overlapped(low, high, start, step, size):
    """Cells of [low, high], counted from start; a box on an edge or in a cell is one cell."""
    first = floor((low - start) / step + _TINY)
    if low == high == start + size * step:  # its outer edge
        first = size - 1
    last = max(ceil((high - start) / step - _TINY), first + 1)
    return range(max(first, 0), min(last, size))


@example(x=[0.0, 0.0], y=[30.0, 30.0], t=0)
@example(x=[-20.0, -20.0], y=[50.0, 50.0], t=0)
@example(x=[20.0, 20.0], y=[25.0, 30.0], t=0)
@example(x=[20.0, 25.0], y=[35.0, 36.0], t=0)
@example(x=[-30.0, -20.0], y=[35.0, 36.0], t=0)
@given(
    x=st.tuples(st.floats(-30, 30), st.floats(-30, 30)).map(sorted),
    y=st.tuples(st.floats(25, 55), st.floats(25, 55)).map(sorted),
    t=st.integers(0, 3),
)
def test_cells_of_a_box(service, x, y, t):
    columns = overlapped(x[0], x[1], -20, 2, 20)
    rows = overlapped(-y[1], -y[0], -50, 2, 10)
    time = ("2020-01-01", "2020-01-02", "2020-01-05", "2020-02-01")[t]
    query = (
        f"CoverageId=air&FORMAT=image/tiff&SUBSET=ansi({time})"
        f"&SUBSET=Long({x[0]!r},{x[1]!r})&SUBSET=Lat({y[0]!r},{y[1]!r})"
    )
    if not rows or not columns:
        assert service.refused(query)[:2] == (404, "InvalidSubsetting")
        return
    values, profile, _ = service.tiff(query)
    expected = np.array([[closed(t, row, column) for column in columns] for row in rows])
    np.testing.assert_array_equal(values[0], expected)
    assert profile["transform"].c == -20 + 2 * columns[0]
    assert profile["transform"].f == 50 - 2 * rows[0]
