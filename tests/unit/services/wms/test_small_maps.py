"""Which requests for a map are tried at once: small ones."""

import pytest

from services.ows.transport import Request
from services.wms.service import is_small_map


@pytest.mark.parametrize(
    ("query", "small"),
    [
        ({"REQUEST": "GetMap", "WIDTH": "256", "HEIGHT": "256"}, True),
        ({"request": "getmap", "width": "512", "height": "512"}, True),
        ({"REQUEST": "GetMap", "WIDTH": "1024", "HEIGHT": "768"}, False),
        ({"REQUEST": "GetMap", "WIDTH": "256"}, False),
        ({"REQUEST": "GetMap", "WIDTH": "256", "HEIGHT": "2e2"}, False),
        ({"REQUEST": "GetMap", "WIDTH": "256", "HEIGHT": "-1"}, False),
        ({"REQUEST": "GetFeatureInfo", "WIDTH": "256", "HEIGHT": "256"}, False),
    ],
)
def test_small_maps(query, small):
    asked = Request("GET", "/wms", tuple(query.items()), {}, b"", "http://test")
    assert is_small_map(asked) == small
