"""What is kept of a decoded chunk at the edge of its grid."""

import numpy as np
import pytest

from datacube.store.ongrid import on_grid

CHUNK = np.arange(2 * 16 * 16, dtype="int16").reshape(2, 16, 16)


@pytest.mark.parametrize(
    ("sides", "kept"), [((16, 16), (16, 16)), ((19, 30), (3, 14)), ((32, 29), (16, 13))]
)
def test_the_rest_is_not_kept(sides, kept):
    place = (0, 1, 1) if max(sides) > 16 else (0, 0, 0)
    found = on_grid(CHUNK, place, sides)
    assert found.shape == (2, *kept)
    assert np.array_equal(found, CHUNK[:, : kept[0], : kept[1]])
    assert found.nbytes == 4 * kept[0] * kept[1]


def test_a_copy_without_little_is_not_made():
    assert on_grid(CHUNK, (0, 0, 0), (15, 16)) is CHUNK
    assert on_grid(CHUNK, (0, 0, 0), (14, 16)).base is not CHUNK


def test_a_copy_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        on_grid(CHUNK, (0, 0, 0), (3, 3))[0, 0, 0] = 1
