"""Styling parameters with a value for each layer: pixel by pixel."""

import numpy as np
import pytest

from tests.protocol.pictures import cells, rgba
from tests.protocol.wms130.test_errors import code_of

MAP = (
    "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&FORMAT=image/png&TRANSPARENT=TRUE&CRS=CRS:84"
    "&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&TIME=2020-01-01"
)
VALUES = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
GREYS = "&COLORSCALERANGE=0,63.75,0,2550"


def drawn(wms, query, layers="globe.v,holes.v"):
    return wms.raw(f"{MAP}&LAYERS={layers}&{query}")


def test_each_layer_has_its_opacity(wms):
    """The upper layer has no data in column 0, where the lower one shows."""
    found = rgba(drawn(wms, "STYLES=exact,exact&OPACITY=40,100"))
    assert set(found[:, 1:, 3].ravel()) == {255}
    assert set(found[:, 0, 3]) == {102}


def test_an_empty_entry_changes_nothing(wms):
    plain = rgba(drawn(wms, "STYLES=exact,exact"))
    assert (rgba(drawn(wms, "STYLES=exact,exact&OPACITY=,100")) == plain).all()


def test_each_layer_has_its_range_and_palette(wms):
    query = "STYLES=boxfill,boxfill&PALETTE=gray,gray"
    found = rgba(drawn(wms, f"{query}{GREYS}"))[..., 0]
    assert (np.rint(found[:, 0] / 4) == VALUES[:, 0]).all()
    assert (found[:, 1:] <= 5).all()


def test_one_value_is_of_all_layers(wms):
    found = cells(drawn(wms, "STYLES=,&PALETTE=gray&COLORSCALERANGE=0,63.75"))
    np.testing.assert_array_equal(found, VALUES)


@pytest.mark.parametrize(
    "query",
    ["OPACITY=10,20,30", "COLORSCALERANGE=0,1,auto,0,1", "PALETTE=gray,gray,gray"],
)
def test_a_list_of_another_length(wms, query):
    response = drawn(wms, f"STYLES=,&{query}")
    assert code_of(response) is None
    assert b"entries for 2 layers" in response.body


def test_values_do_not_ask_for_styles(wms):
    response = wms.raw(
        f"{MAP.replace('GetMap', 'GetFeatureInfo')}&LAYERS=globe.v,holes.v&QUERY_LAYERS=globe.v"
        "&STYLES=&OPACITY=40,100&I=3&J=2&INFO_FORMAT=text/csv"
    )
    assert response.status == 200
    assert b"23" in response.body
