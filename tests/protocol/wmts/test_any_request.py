"""Whatever is asked, the answer is a tile, values, a document or a report: never a failure."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ows.transport import Request
from services.wmts.service import handle_rest
from tests.protocol.wms130.test_any_request import NASTY, VALUES
from tests.protocol.wmts.test_errors import INFO, TILE

FIXTURES = (HealthCheck.function_scoped_fixture,)


@pytest.mark.parametrize("start", [TILE, INFO], ids=["GetTile", "GetFeatureInfo"])
@settings(suppress_health_check=FIXTURES)
@given(data=st.data())
def test_any_values(wmts, start, data):
    names = data.draw(
        st.lists(st.sampled_from([*start, "time", "elevation"]), min_size=1, max_size=3)
    )
    response = wmts.pairs((start | {name: data.draw(VALUES) for name in names}).items())
    assert response.status in {200, 400, 413}
    assert response.body


@settings(suppress_health_check=FIXTURES)
@given(
    parts=st.lists(
        st.sampled_from(
            ["1.0.0", "globe.v", "deep", "exact", "WebMercatorQuad", "0", "0.png", *NASTY]
        )
        | st.text(max_size=8),
        max_size=10,
    ),
    query=st.text(max_size=20),
)
def test_any_path(wmts, parts, query):
    tail = "/".join(parts)
    response = handle_rest(
        wmts.context, Request("GET", f"/wmts/{tail}", (("time", query),), {}, b"", ""), tail
    )
    assert response.status in {200, 400, 404, 413}
