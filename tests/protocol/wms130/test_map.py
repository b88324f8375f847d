"""GetMap by value: axis order, pixels, time, dimensions, background."""

import numpy as np
import pytest

from tests.protocol.pictures import cells, hundreds, rgba, warnings_of

CELLS = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
GLOBE = "CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5"


def get(wms, query, layers="globe.v", styles="exact", **headers):
    start = "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&FORMAT=image/png&TRANSPARENT=TRUE"
    return wms.raw(f"{start}&LAYERS={layers}&STYLES={styles}&{query}", **headers)


def test_crs84_is_x_first(wms):
    found = cells(get(wms, f"{GLOBE}&TIME=2020-01-01"))
    np.testing.assert_array_equal(found, CELLS)


def test_epsg_4326_is_latitude_first(wms):
    query = "CRS=EPSG:4326&BBOX=-90,-180,90,180&WIDTH=10&HEIGHT=5&TIME=2020-01-01"
    np.testing.assert_array_equal(cells(get(wms, query)), CELLS)


def test_part_of_the_globe_in_either_order(wms):
    east = "CRS=CRS:84&BBOX=0,18,72,54&WIDTH=2&HEIGHT=1&TIME=2020-01-01"
    same = "CRS=EPSG:4326&BBOX=18,0,54,72&WIDTH=2&HEIGHT=1&TIME=2020-01-01"
    np.testing.assert_array_equal(cells(get(wms, east)), [[15, 16]])
    np.testing.assert_array_equal(cells(get(wms, same)), [[15, 16]])


def test_half_pixels_take_the_cell_under_the_pixel_centre(wms):
    # pixels of half a cell: two a cell in x, two in y
    query = "CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=20&HEIGHT=10&TIME=2020-01-01"
    np.testing.assert_array_equal(cells(get(wms, query)), np.kron(CELLS, np.ones((2, 2))))


def test_a_box_moved_by_less_than_half_a_pixel_shows_the_same_cells(wms):
    query = "CRS=CRS:84&BBOX=-163,-80,197,100&WIDTH=10&HEIGHT=5&TIME=2020-01-01"
    np.testing.assert_array_equal(cells(get(wms, query)), CELLS)


def test_a_box_over_the_antimeridian(wms):
    query = "CRS=CRS:84&BBOX=144,-90,216,90&WIDTH=2&HEIGHT=5&TIME=2020-01-01"
    np.testing.assert_array_equal(cells(get(wms, query)), CELLS[:, [9, 0]])


def test_longitudes_0_to_360_with_ascending_latitudes(wms):
    query = "CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&TIME=2020-01-01"
    found = cells(get(wms, query, layers="around.v"))
    np.testing.assert_array_equal(found, np.roll(CELLS[::-1], 5, axis=1))


def test_utm_in_its_own_crs_and_outside_it(wms):
    inside = "CRS=EPSG:32632&BBOX=500000,5000000,500100,5000050&WIDTH=10&HEIGHT=5"
    np.testing.assert_array_equal(cells(get(wms, inside, layers="utm.v")), CELLS)
    beside = "CRS=EPSG:32632&BBOX=500090,5000040,500110,5000060&WIDTH=2&HEIGHT=2"
    found = cells(get(wms, beside, layers="utm.v"))
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [9, np.nan]])


def test_any_epsg_code(wms):
    # one pixel around the pole in the polar stereographic north
    query = "CRS=EPSG:3413&BBOX=-10,-10,10,10&WIDTH=2&HEIGHT=2&TIME=2020-01-01"
    found = cells(get(wms, query))
    assert found.shape == (2, 2)
    assert (found < 10).all()


def test_exponents_in_bbox_give_the_same_picture(wms):
    plain = get(wms, f"{GLOBE}&TIME=2020-01-01")
    same = get(wms, "CRS=CRS:84&BBOX=-1.8e2,-9e1,1.8E2,90.0&WIDTH=10&HEIGHT=5&TIME=2020-01-01")
    assert plain.body == same.body


@pytest.mark.parametrize(
    ("time", "step", "note"),
    [
        ("2020-01-02", 1, None),
        ("2020-01-02T00:00:00Z", 1, None),
        ("2020-01-02T00:00:00.000Z", 1, None),
        ("2020-01-02T00:00Z", 1, None),
        ("20200102", 1, None),
        ("2020-01-02T02:00:00%2B02:00", 1, None),
        ("2020-01-02T05:00:00Z", 1, "Nearest value used: time=2020-01-02T00:00:00Z ISO8601"),
        ("2020-01-01T20:00:00Z", 1, "Nearest value used: time=2020-01-02T00:00:00Z ISO8601"),
        ("", 2, "Default value used: time=2020-01-03T00:00:00Z ISO8601"),
        ("current", 2, "Default value used: time=2020-01-03T00:00:00Z ISO8601"),
        ("latest", 2, None),
        ("2020-01", 2, None),
        ("2020-01-01/2020-01-02", 1, None),
        ("2020-01-01T00:00:00Z/2020-01-02T00:00:00Z/P1D", 1, None),
        ("0000-01-01T00:00:00Z/2020-01-02T12:00:00Z", 1, None),
        ("2020-01-01/9999-12-31T23:59:59Z", 2, None),
        ("2020-01-01/P1D", 1, None),
        ("P1D/2020-01-02", 1, None),
        ("../2020-01-01", 0, None),
        ("2020-01-02,2020-01-01", 1, None),
    ],
)
def test_time(wms, time, step, note):
    response = get(wms, f"{GLOBE}&TIME={time}", styles="coarse")
    assert (hundreds(response) == step).all()
    assert warnings_of(response) == ([f"99 {note}"] if note else [])


def test_a_time_out_of_range_is_an_empty_picture_with_a_warning(wms):
    response = get(wms, f"{GLOBE}&TIME=2031-05-01")
    assert np.isnan(cells(response)).all()
    assert warnings_of(response) == ["99 No data at time=2031-05-01T00:00:00Z ISO8601"]


def test_a_range_and_a_list_show_the_most_recent_valid_pixel(wms):
    query = f"{GLOBE}&TIME="
    expected = np.full((5, 10), 2.0)
    expected[:, 2] = 1.0  # day 2 has no data in column 2
    for time in ("2020-01-01/2020-01-03", "2020-01-02,2020-01-03"):
        response = get(wms, query + time, layers="holes.v", styles="coarse")
        np.testing.assert_array_equal(hundreds(response), expected)


@pytest.mark.parametrize(
    ("time", "step"),
    [("1999-02-29", 0), ("1999-02-30", 1), ("1999-03-01", 2), ("", 2), ("current", 2)],
)
def test_times_of_a_360_day_calendar(wms, time, step):
    response = get(wms, f"{GLOBE}&TIME={time}", layers="model.v", styles="coarse")
    assert (hundreds(response) == step).all()


def test_a_gregorian_day_that_the_calendar_lacks_is_its_month_s_last(wms):
    response = get(wms, f"{GLOBE}&TIME=1999-01-31/1999-03-31", layers="model.v", styles="coarse")
    assert (hundreds(response) == 2).all()
    late = get(wms, f"{GLOBE}&TIME=1999-01-31", layers="model.v")
    assert warnings_of(late) == ["99 No data at time=1999-01-30T00:00:00Z ISO8601"]


def test_a_hole_is_transparent_or_background(wms):
    shown = get(wms, f"{GLOBE}&TIME=2020-01-01", layers="holes.v")
    assert np.isnan(cells(shown)[:, 0]).all()
    red = wms.raw(
        "VERSION=1.3.0&REQUEST=GetMap&LAYERS=holes.v&STYLES=exact&FORMAT=image/png"
        f"&{GLOBE}&TIME=2020-01-01&BGCOLOR=0xFF0000"
    )
    assert (rgba(red)[:, 0] == [255, 0, 0, 255]).all()


def test_several_layers_lie_over_one_another(wms):
    query = f"{GLOBE}&TIME=2020-01-01"
    over = cells(get(wms, query, layers="globe.v,holes.v", styles="exact,exact"))
    np.testing.assert_array_equal(over, CELLS)
    assert (
        get(wms, query, layers="holes.v,globe.v", styles="").body
        == get(wms, query, layers="holes.v,globe.v", styles=",").body
    )


def test_elevation_and_further_dimensions(wms):
    def level(query):
        response = get(wms, f"{GLOBE}&{query}", layers="deep.v", styles="coarse")
        return float(np.unique(hundreds(response)).item()) / 3, warnings_of(response)

    assert level("TIME=2020-01-01&ELEVATION=0.5&DIM_SCENARIO=a1b") == (0, [])
    assert level("TIME=2020-01-01&ELEVATION=100&DIM_scenario=e1") == (5, [])
    assert level("TIME=2020-01-01&DIM_DEPTH=10&scenario=e1") == (3, [])
    place, notes = level("TIME=2020-01-01&ELEVATION=12&DIM_SCENARIO=a1b")
    assert place == 2
    assert notes == ["99 Nearest value used: depth=10.0 m"]


def test_dimensions_that_a_layer_lacks_are_ignored(wms):
    query = "CRS=EPSG:32632&BBOX=500000,5000000,500100,5000050&WIDTH=10&HEIGHT=5"
    plain = get(wms, query, layers="utm.v")
    assert get(wms, f"{query}&TIME=2020-01-01&ELEVATION=5", layers="utm.v").body == plain.body


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_formats_and_sizes(wms, media_type):
    query = "CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=8&HEIGHT=5&TRANSPARENT=TRUE"
    response = wms.raw(
        f"VERSION=1.3.0&REQUEST=GetMap&LAYERS=globe&STYLES=&FORMAT={media_type}&{query}"
    )
    assert response.media_type == media_type
    assert rgba(response).shape == (5, 8, 4)


def test_opaque_white_is_the_default_background(wms):
    response = wms.raw(
        "VERSION=1.3.0&REQUEST=GetMap&LAYERS=utm&STYLES=&FORMAT=image/png"
        "&CRS=EPSG:32632&BBOX=0,0,10,10&WIDTH=4&HEIGHT=4"
    )
    assert (rgba(response) == 255).all()


def test_post_with_a_form_and_any_case(wms):
    query = f"version=1.3.0&request=getmap&layers=globe.v&Styles=exact&{GLOBE}&unknown=thing"
    form = f"{query}&format=image%2Fpng&time=2020-01-01".replace("CRS:84", "CRS%3A84")
    assert wms.post(form).body == wms.raw(f"{query}&FORMAT=image/png&TIME=2020-01-01").body


def test_conditional_requests(wms):
    pinned = get(wms, f"{GLOBE}&TIME=2020-01-01")
    assert pinned.header("Cache-Control") == "public, max-age=86400"
    again = get(wms, f"{GLOBE}&TIME=2020-01-01", if_none_match=pinned.header("ETag"))
    assert (again.status, again.body) == (304, b"")
    assert again.header("ETag") == pinned.header("ETag")
    moving = get(wms, GLOBE)
    assert moving.header("Cache-Control") == "public, max-age=60"
    assert moving.header("ETag") != pinned.header("ETag")


def test_a_range_of_elevations_is_reduced(wms):
    """Levels of the scenario a1b are drawn as 0, 2 and 4."""

    def level(query):
        response = get(wms, f"{GLOBE}&TIME=2020-01-01&{query}", layers="deep.v", styles="coarse")
        return float(np.unique(hundreds(response)).item()) / 3

    assert level("ELEVATION=0/200&DIM_SCENARIO=a1b&AGG=mean") == 2
    assert level("ELEVATION=5/200&DIM_SCENARIO=a1b&AGG=min") == 2
    assert level("ELEVATION=../20&DIM_SCENARIO=a1b&AGG=max") == 2
    assert level("ELEVATION=0/200&DIM_SCENARIO=a1b&AGG=last") == 4


def test_a_period_stands_for_its_steps(wms):
    query = f"{GLOBE}&TIME=2020-01-02"
    month = cells(get(wms, f"{query}&AGG=min&PERIOD=month", layers="globe.v"))
    whole = cells(get(wms, f"{GLOBE}&TIME=2020-01&AGG=min", layers="globe.v"))
    np.testing.assert_array_equal(month, whole)
    two = cells(get(wms, f"{query}&AGG=max&WINDOW=2", layers="globe.v"))
    np.testing.assert_array_equal(two, cells(get(wms, query, layers="globe.v")))
