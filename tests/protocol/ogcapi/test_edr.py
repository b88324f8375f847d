"""OGC API EDR: position, trajectory, area and cube over cubes of closed forms."""

import numpy as np
import pytest
import shapely

ROOT = "/ogcapi/collections"
DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")


def ask(ogcapi, path, **query):
    names = {name.replace("_", "-"): value for name, value in query.items()}
    response = ogcapi.get(f"{ROOT}/{path}", params=names)
    assert response.status_code == 200, response.text
    return response


def values(document, name="v"):
    found = document["ranges"][name]
    return np.array(found["values"], float).reshape(found["shape"])


def closed(t, y, x):
    return 1000 * np.asarray(t) + 10 * np.asarray(y) + np.asarray(x)


def test_a_position_is_a_series(ogcapi):
    document = ask(ogcapi, "closed/position", coords="POINT(10 40)").json()
    assert document["domain"]["domainType"] == "PointSeries"
    assert document["domain"]["axes"]["t"]["values"] == [f"{day}T00:00:00Z" for day in DAYS]
    assert document["domain"]["axes"]["x"] == {"values": [10.0]}
    assert document["ranges"]["v"]["axisNames"] == ["t"]
    assert values(document).tolist() == closed(range(3), 2, 10).tolist()
    one = ask(ogcapi, "closed/position", coords="POINT(10 40)", datetime=DAYS[1]).json()
    assert one["domain"]["domainType"] == "Point"
    assert values(one) == 1030


def test_a_position_in_another_crs_and_order(ogcapi):
    latlon = ask(ogcapi, "closed/position", coords="POINT(40 10)", crs="EPSG:4326").json()
    assert values(latlon).tolist() == closed(range(3), 2, 10).tolist()
    utm = ask(ogcapi, "utm/position", coords="POINT(9.2 45.2)").json()
    assert np.isfinite(values(utm)).all()


def test_several_positions_as_a_table(ogcapi):
    query = {"coords": "MULTIPOINT((10 40),(-179 -89),(10 95))", "datetime": DAYS[0]}
    text = ask(ogcapi, "closed/position", f="csv", **query).text
    assert text == "x,y,v\r\n10.0,40.0,30.0\r\n-179.0,-89.0,90.0\r\n10.0,95.0,\r\n"
    document = ask(ogcapi, "closed/position", **query).json()
    assert document["domain"]["domainType"] == "MultiPoint"
    assert document["ranges"]["v"]["values"] == [30.0, 90.0, None]


def test_levels_and_fields(ogcapi):
    document = ask(
        ogcapi, "levels/position", coords="POINT(10 40)", z="0/20", parameter_name="v"
    ).json()
    assert list(document["ranges"]) == ["v"]
    assert document["ranges"]["v"]["axisNames"] == ["t", "z"]
    raw = 1000 * np.arange(3)[:, None] + 100 * np.arange(2) + 10 + 2
    assert values(document).tolist() == (0.5 * raw + 10).tolist()
    one = ask(ogcapi, "levels/position", coords="POINT(10 40)", z="12", datetime=DAYS[0]).json()
    assert values(one) == 0.5 * (100 + 10 + 2) + 10


def test_a_transect_has_every_cell_on_its_way(ogcapi):
    line = {"coords": "LINESTRING(-171 81, -9 81)", "datetime": DAYS[2]}
    document = ask(ogcapi, "closed/trajectory", **line).json()
    axis = document["domain"]["axes"]["composite"]
    assert axis["coordinates"] == ["x", "y"]
    assert [place[0] for place in axis["values"]] == list(range(-171, 0, 18))
    assert values(document).tolist() == closed(2, 0, range(10)).tolist()
    rows = ask(ogcapi, "closed/trajectory", f="csv", **line | {"datetime": ""}).text.splitlines()
    assert rows[0] == "time,x,y,v"
    assert len(rows) == 1 + 3 * 10
    assert rows[-1] == "2020-01-03T00:00:00Z,-9.0,81.0,2009.0"


def test_a_trajectory_with_its_own_times(ogcapi):
    seconds = [int(np.datetime64(day, "s").astype(int)) for day in DAYS]
    text = f"LINESTRING M (-171 81 {seconds[0]}, -171 81 {seconds[2]}, -9 -81 {seconds[2]})"
    document = ask(ogcapi, "closed/trajectory", coords=text).json()
    assert document["domain"]["domainType"] == "Trajectory"
    places = document["domain"]["axes"]["composite"]["values"]
    assert places[0] == ["2020-01-01T00:00:00Z", -171.0, 81.0]
    assert places[-1][0] == "2020-01-03T00:00:00Z"
    found = values(document)
    assert found[0] == 0
    assert found[1] == 2000
    assert found[-1] == closed(2, 9, 9)
    assert [item["system"]["type"] for item in document["domain"]["referencing"]] == [
        "GeographicCRS",
        "TemporalRS",
    ]


def test_a_trajectory_with_levels_of_its_own(ogcapi):
    line = "LINESTRING Z (10 40 0, 10 40 50)"
    found = ask(ogcapi, "levels/trajectory", coords=line, datetime=DAYS[1], parameter_name="u")
    assert values(found.json(), "u").tolist() == [1000 + 2, 1000 + 200 + 2]


def test_an_area_is_cells_with_a_mask(ogcapi):
    ring = "-180 90, 0 90, 0 0, -180 90"
    document = ask(ogcapi, "closed/area", coords=f"POLYGON(({ring}))", datetime=DAYS[1]).json()
    found = values(document)[-5:, :]
    x, y = np.meshgrid(-171 + 18 * np.arange(10), 81 - 18 * np.arange(5))
    inside = shapely.contains_xy(shapely.from_wkt(f"POLYGON(({ring}))"), x, y)
    wanted = closed(1, np.arange(5)[:, None], np.arange(10))
    known = np.isfinite(found)
    assert (found[known] == wanted[known]).all()
    assert (known == inside).sum() >= 50 - 5  # centres on the diagonal may be either
    assert known.sum() > 15
    tiff = ask(ogcapi, "closed/area", coords=f"POLYGON(({ring}))", f="geotiff")
    assert tiff.headers["content-type"].startswith("image/tiff")


@pytest.mark.parametrize(
    ("method", "by_numpy"),
    [
        ("mean", np.mean),
        ("max", np.max),
        ("count", np.size),
        ("median", np.median),
        ("std", np.std),
    ],
)
def test_an_area_reduced_is_a_series(ogcapi, method, by_numpy):
    ring = "-180 90, 36 90, 36 18, -180 18, -180 90"
    query = {"coords": f"POLYGON(({ring}))", "method": method}
    document = ask(ogcapi, "closed/area", **query).json()
    assert document["domain"]["domainType"] == "PolygonSeries"
    cells = closed(np.arange(3)[:, None, None], np.arange(4)[:, None], np.arange(12))
    wanted = [by_numpy(day) for day in cells]
    np.testing.assert_allclose(values(document), wanted)
    table = ask(ogcapi, "closed/area", f="csv", **query).text.splitlines()
    assert len(table) == 4
    assert float(table[2].split(",")[1]) == pytest.approx(wanted[1])


def test_a_cube_is_a_box(ogcapi):
    document = ask(
        ogcapi, "closed/cube", bbox="-180,54,-126,90", datetime=DAYS[0], parameter_name="v"
    ).json()
    assert values(document).tolist() == closed(0, [[0], [1]], range(3)).tolist()


def test_a_cube_in_another_crs_and_order(ogcapi):
    query = {"f": "csv", "datetime": DAYS[0]}
    wanted = ask(ogcapi, "closed/cube", bbox="-180,54,-126,90", **query).text
    latlon = ask(ogcapi, "closed/cube", bbox="54,-180,90,-126", crs="EPSG:4326", **query).text
    assert latlon == wanted


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("closed/position", {}, "coords is missing"),
        ("closed/position", {"coords": "POINT(1"}, "no well-known text"),
        ("closed/position", {"coords": "POINT EMPTY"}, "is empty"),
        ("closed/position", {"coords": "LINESTRING(0 0, 1 1)"}, "write POINT"),
        ("closed/trajectory", {"coords": "POINT(1 1)"}, "write LINESTRING"),
        ("closed/area", {"coords": "POINT(1 1)"}, "write POLYGON"),
        ("closed/area", {"coords": "POLYGON((0 0,1 0,1 1,0 0))", "method": "mode"}, "mode"),
        ("closed/area", {"coords": "POLYGON((0 0,1 0,1 1,0 0))", "method": "mean"}, "no cell"),
        ("closed/position", {"coords": "POINT(1 1)", "z": "4"}, "no levels"),
        ("levels/position", {"coords": "POINT(1 1)", "z": "1/2/3"}, "z is a level"),
        ("closed/position", {"coords": "POINT(1 1)", "f": "geotiff"}, "offered are"),
        ("closed/position", {"coords": "POINT(1 1)", "nonsense": "1"}, "no parameter"),
        ("closed/position", {"coords": "POINT(1 1)", "parameter-name": "w"}, "w"),
        ("plain/trajectory", {"coords": "LINESTRING M (0 0 0, 1 1 1)"}, "no axis"),
        ("closed/position", {"coords": "POINT(nan 0)"}, "the number nan"),
        ("closed/position", {"coords": "POINT(1e308 0)"}, "within -1e+12 and 1e+12"),
        ("closed/trajectory", {"coords": "LINESTRING M(0 0 nan, 1 1 0)"}, "the number nan"),
        ("closed/trajectory", {"coords": "LINESTRING M(0 0 0, 1 1 1e308)"}, "the number 1e+308"),
        ("levels/trajectory", {"coords": "LINESTRING Z(0 0 inf, 1 1 0)"}, "the number inf"),
        ("closed/area", {"coords": "POLYGON((0 0,1 inf,1 1,0 0))"}, "the number inf"),
    ],
)
def test_refusals_say_what_would_be_valid(ogcapi, path, query, words):
    response = ogcapi.get(f"{ROOT}/{path}", params=query)
    assert response.status_code in {400, 404}
    assert words in response.json()["detail"]


def test_documents_name_the_queries(ogcapi):
    collection = ogcapi.get(f"{ROOT}/closed?f=json").json()
    queries = collection["data_queries"]
    assert set(queries) == {"position", "trajectory", "area", "cube"}
    assert queries["area"]["link"]["href"].endswith("/collections/closed/area")
    paths = ogcapi.get("/ogcapi/openapi?f=json").json()["paths"]
    assert "/collections/closed/trajectory" in paths


def test_the_same_question_again_is_not_modified(ogcapi):
    first = ask(ogcapi, "closed/position", coords="POINT(10 40)")
    again = ogcapi.get(
        f"{ROOT}/closed/position",
        params={"coords": "POINT(10 40)"},
        headers={"If-None-Match": first.headers["etag"]},
    )
    assert again.status_code == 304


def test_a_long_line_is_written_while_it_is_sent(ogcapi):
    line = ",".join(f"{30 * (n % 2)}.1 40.1" for n in range(5_000))
    query = {"coords": f"LINESTRING({line})", "f": "csv"}
    found = ogcapi.get(f"{ROOT}/closed/trajectory", params=query)
    rows = found.text.splitlines()[1:]
    assert len(found.content) > 1 << 20
    assert "content-length" not in found.headers
    assert {row.rpartition(",")[2] for row in rows if ",0.1,40.1," in row} == {
        f"{1000 * t + 30}.0" for t in range(3)
    }


@pytest.mark.parametrize(
    "coords",
    [
        "MULTIPOLYGON(((0 0,40 0,40 40,0 40,0 0)),EMPTY)",
        "MULTIPOLYGON(EMPTY,((0 0,40 0,40 40,0 40,0 0)))",
    ],
)
def test_an_empty_part_of_a_region_adds_nothing(ogcapi, coords):
    whole = "POLYGON((0 0,40 0,40 40,0 40,0 0))"
    for query in ({"method": "mean"}, {}):
        expected = ask(ogcapi, "closed/area", coords=whole, **query).json()
        assert ask(ogcapi, "closed/area", coords=coords, **query).json() == expected
