"""QGIS 3.40 plays layers of a live server: every frame has the values of its time.

It comes from a tree of Debian 13, which ``make clients`` makes where it can.
"""

from urllib.parse import unquote

import numpy as np
import pytest

from tests.clients.desktop import TREE, of_the_tree
from tests.clients.pictures import CELLS, rgba
from tests.clients.test_qgis import CAPABILITIES, GLOBE, properties, temporal_source

pytestmark = [
    pytest.mark.qgis,
    pytest.mark.skipif(
        not (TREE / ".made").exists(), reason=f"there is no QGIS 3.40 in {TREE}: see make clients"
    ),
]
DAYS = [f"2020-01-0{day}" for day in (1, 2, 3)]
INSTANTS = [[f"{day}T00:00:00Z"] * 2 for day in DAYS]
WHOLE_DAYS = [[f"{day}T00:00:00Z", f"{day}T23:59:59Z"] for day in DAYS]
BETWEEN = [[f"{day}T05:00:00Z"] * 2 for day in DAYS]


@pytest.fixture(scope="module")
def qgis():
    return of_the_tree("frames")


def seen(pictures):
    """What ``day1`` shows of a frame: nothing (0) before its day, the cells, all (128) after."""
    found = np.array([rgba(one)[10::20, 10::20].astype(int) for one in pictures])
    assert (found[..., 3] == 255).all()
    return (found[..., 0] + 1) // 2


EXPECTED = np.stack([0 * CELLS, CELLS, 0 * CELLS + 128])


@pytest.mark.parametrize("path", CAPABILITIES)
@pytest.mark.parametrize("frames", [INSTANTS, WHOLE_DAYS, BETWEEN])
def test_a_layer_of_the_wmts_is_played(live_server, qgis, path, frames):
    chosen = ["layers=closed.v&", "styles=day1&", "tileMatrixSet=WorldCRS84Quad&", "image/png"]
    outcome, pictures = qgis.run(
        **GLOBE, capabilities=live_server.url + path, chosen=chosen, frames=frames, points=[(9, 27)]
    )
    assert outcome["temporal"]
    assert outcome["steps"] == [f"{day}T00:00:00Z" for day in DAYS]
    np.testing.assert_array_equal(seen(pictures), EXPECTED)
    found = properties(outcome["values"][0])
    assert float(found["value"]) == 2040  # it asks without a time, and gets that of the newest
    assert outcome["messages"] == []


@pytest.mark.parametrize("frames", [INSTANTS, WHOLE_DAYS, BETWEEN])
def test_a_layer_of_the_wms_is_played(live_server, qgis, frames):
    uri = unquote(temporal_source(live_server, "closed.v", "day1"))  # as its own browser writes it
    outcome, pictures = qgis.run(**GLOBE, uri=uri, frames=frames)
    assert outcome["temporal"]
    np.testing.assert_array_equal(seen(pictures), EXPECTED)
    assert outcome["messages"] == []
