import email
import email.policy

import numpy as np
import pytest
from affine import Affine

from tests.protocol.wcs201.service import body_of, closed

DAY2 = 'SUBSET=ansi("2020-01-02T00:00:00Z")'


def grid(t, rows, columns):
    return np.array([[closed(t, row, column) for column in columns] for row in rows])


def test_a_trim_by_name_takes_whole_cells_whatever_their_order(service):
    for query in (
        f"SUBSET=Lat(40,46)&SUBSET=Long(-10,0)&{DAY2}",
        f"{DAY2}&SUBSET=Long(-10,0)&SUBSET=Lat(40,46)",
        f"SUBSET=Lat(40,46),Long(-10,0)&{DAY2}",
        "SUBSET0=Long(-10,0)&SUBSET1=Lat(40,46)&SUBSET2=time(2020-01-02)",
        f'SUBSET=Lat("40","46")&SUBSET=x(-10,0)&{DAY2}',
        f"SUBSET=latitude(40.1,45.9)&SUBSET=lon(-9.9,-0.1)&{DAY2}",
        f"SUBSET=Lat(39.9999999999,46.0000000001)&SUBSET=Long(-10.00000000001,0)&{DAY2}",
    ):
        values, profile, _ = service.tiff(f"CoverageId=air&{query}")
        np.testing.assert_array_equal(values[0], grid(1, (2, 3, 4), range(5, 10)))
        assert profile["transform"] == Affine(2, 0, -10, 0, -2, 46)
        assert profile["dtype"] == "int32"
        assert profile["nodata"] == -9999
        assert profile["crs"].to_epsg() == 4326


def test_an_open_trim(service):
    values, profile, _ = service.tiff(f'CoverageId=air&SUBSET=Lat(*,40)&SUBSET=Long("10",*)&{DAY2}')
    np.testing.assert_array_equal(values[0], grid(1, range(5, 10), range(15, 20)))
    assert profile["transform"].c == 10


def test_a_box_in_the_middle_of_cells_gives_whole_cells(service):
    values, profile, _ = service.tiff(f"CoverageId=air&SUBSET=Lat(41,43)&SUBSET=Long(-9,-7)&{DAY2}")
    np.testing.assert_array_equal(values[0], grid(1, (3, 4), (5, 6)))
    assert profile["transform"] == Affine(2, 0, -10, 0, -2, 44)


@pytest.mark.parametrize(
    ("time", "index"),
    [
        ('ansi("2020-01-05T12:00:00Z")', 2),
        ("ansi(2020-01-05T12:00:00.000Z)", 2),
        ("time(2020-01-05)", 2),
        ("unix(1578225600)", 2),
        ("ansi(153040.5)", 2),
        ("phenomenonTime(2020-02)", 3),
        ("ansi(latest)", 3),
        ("time,http://www.opengis.net(2020-01-02)", 1),
    ],
)
def test_slices_of_time(service, time, index):
    values, _, _ = service.tiff(f"CoverageId=air&SUBSET={time}")
    np.testing.assert_array_equal(values[0], grid(index, range(10), range(20)))


def test_a_trim_of_time_keeps_the_axis(service):
    found = service.netcdf(
        'CoverageId=air&SUBSET=ansi("2020-01-02","2020-01-31")&SUBSET=Lat(48,50)'
    )
    assert found["t2m"].dims == ("time", "lat", "lon")
    expected = np.stack([grid(1, (0,), range(20)), grid(2, (0,), range(20))])
    np.testing.assert_array_equal(found["t2m"].values, expected * 0.01 + 273.15)
    assert str(found["time"].values[1])[:16] == "2020-01-05T12:00"


def test_a_month_is_all_its_steps(service):
    assert service.netcdf("CoverageId=air&SUBSET=ansi(2020-01)").sizes["time"] == 3


def test_the_whole_coverage_in_its_native_format(service):
    response = service.get("CoverageId=air")
    assert response.media_type == "application/netcdf"
    response = service.get("CoverageId=bands")
    assert response.media_type == "image/tiff"
    assert service.get("CoverageId=bands&FORMAT=None").media_type == "image/tiff"


def test_depth_and_time_together(service):
    query = "CoverageId=ocean&SUBSET=ansi(2020-01-02)&SUBSET=depth(12)&RANGESUBSET=v"
    values, profile, _ = service.tiff(query)
    rows = 10 * np.arange(10)[::-1, None] + np.arange(20) + 1000 + 100_000 + 1
    np.testing.assert_array_equal(values[0], rows)
    assert profile["transform"].f == 5
    assert np.isnan(profile["nodata"])
    assert service.tiff(query.replace("depth(12)", "elevation(-10)"))[0][0, 0, 0] == rows[0, 0]


def test_places_by_label_and_in_another_calendar(service):
    found = service.netcdf(
        'CoverageId=model&SUBSET=scenario("e1")&SUBSET=time("1999-02-30")', decode_times=False
    )
    assert found["kind"].values[0, 1] == 100_000 + 1000 + 1
    trimmed = service.netcdf("CoverageId=model&SUBSET=scenario(a1b,e1)", decode_times=False)
    assert trimmed["scenario"].values.tolist() == ["a1b", "e1"]
    assert trimmed["time"].attrs["calendar"] == "360_day"


@pytest.mark.parametrize(
    ("fields", "order"),
    [("B04,B02", (2, 0)), ("B02:B04", (0, 1, 2)), ("b03", (1,)), ("B04,B02:B03", (2, 0, 1))],
)
def test_range_subset(service, fields, order):
    values, profile, _ = service.tiff(f"CoverageId=bands&RANGESUBSET={fields}")
    assert values[:, 0, 0].tolist() == list(order)
    assert profile["count"] == len(order)


@pytest.mark.parametrize(
    "scaling",
    [
        "SCALESIZE=Long(10),Lat(5)",
        "SCALESIZE=Lat(5),Long(10)",
        "SCALESIZE=http://www.opengis.net/def/axis/OGC/1/i(10),http://www.opengis.net/def/axis/OGC/1/j(5)",
        "SCALEFACTOR=0.5",
        "SCALEAXES=Long(0.5),Lat(0.5)",
        "SCALEEXTENT=Long(0:9),Lat(0:4)",
        "size=Long(10)&size=Lat(5)",
        "resolution=Long(4)&resolution=Lat(4)",
        "WIDTH=10&HEIGHT=5",
    ],
)
def test_every_way_to_half_the_size(service, scaling):
    values, profile, _ = service.tiff(f"CoverageId=air&{DAY2}&{scaling}")
    assert values.shape == (1, 5, 10)
    assert profile["transform"] == Affine(4, 0, -20, 0, -4, 50)
    lows = grid(1, range(0, 10, 2), range(0, 20, 2))
    assert ((values[0] >= lows) & (values[0] <= lows + 11)).all()


def test_scaling_one_axis_leaves_the_other(service):
    values, _, _ = service.tiff(f"CoverageId=air&{DAY2}&SUBSET=Lat(30,34)&SCALESIZE=Long(5)")
    assert values.shape == (1, 2, 5)


def test_a_crs_of_the_numbers(service):
    crs = "http://www.opengis.net/def/crs/EPSG/0/4326"
    _, profile, _ = service.tiff(
        f"CoverageId=bands&SUBSETTINGCRS={crs}&SUBSET=Long(9.001,9.002)&SUBSET=Lat(45.152,45.153)"
    )
    assert profile["crs"].to_epsg() == 32632
    assert profile["transform"].c == 500_070
    assert profile["width"] in {9, 10}


def test_numbers_of_a_crs_beside_the_coverage_are_refused_in_its_words(service):
    for subset in ("Lat(91,95)", "Lat(-20,-10)&SUBSET=Long(9.001,9.002)"):
        query = f"CoverageId=bands&SUBSETTINGCRS=EPSG:4326&SUBSET={subset}"
        status, code, _, text = service.refused(query)
        assert (status, code) == (404, "InvalidSubsetting")
        assert "runs from" in text
    _, _, axis, text = service.refused("CoverageId=bands&SUBSETTINGCRS=EPSG:4326&SUBSET=Lat(91,95)")
    assert axis == "Lat"
    assert text.startswith("Lat: 91 to 95 is outside; the axis runs from 45.")


def test_beyond_the_edges_is_clamped_with_a_warning(service):
    response = service.get(f"CoverageId=air&SUBSET=Lat(45,70)&{DAY2}&FORMAT=image/tiff")
    assert response.header("Warning").startswith("99 ")
    assert "Lat" in response.header("Warning")


def test_the_answer_is_named_and_kept(service):
    query = f"CoverageId=air&{DAY2}&SUBSET=Lat(-40,40)&FORMAT=geotiff&RANGESUBSET=t2m"
    response = service.get(query)
    name = "air_ansi-20200102T000000Z_Lat-m40-40_t2m.tif"
    assert response.header("Content-Disposition") == f'attachment; filename="{name}"'
    assert service.ask("GetCoverage", query, if_none_match=response.header("ETag")).status == 304
    other = service.get(query.replace("Lat(-40,40)", "Lat(-40,42)"))
    assert other.header("ETag") != response.header("ETag")


def test_coveragejson(service):
    found = service.covjson(
        "CoverageId=air&SUBSET=ansi(2020-01-02)&SUBSET=Lat(49)&SUBSET=Long(-19)"
    )
    assert found["ranges"]["t2m"]["values"] == [1000 * 0.01 + 273.15]
    assert found["domain"]["axes"]["y"]["start"] == 49


def test_multipart(service):
    response = service.get(f"CoverageId=air&{DAY2}&FORMAT=image/tiff&MEDIATYPE=multipart/related")
    assert response.media_type.startswith("multipart/related; ")
    body = body_of(response)
    head = f"Content-Type: {response.media_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    gml, file = message.iter_parts()
    assert gml.get_content_type() == "application/gml+xml"
    assert b"cid:" + file["Content-ID"].strip("<>").encode() in gml.get_payload(decode=True)
    assert bytes(file.get_content()).startswith(b"II")


@pytest.mark.xsd
@pytest.mark.parametrize("query", [DAY2, "SUBSET=Lat(30,40)"])
def test_the_gml_part_is_schema_valid(strict_service, xsd_validator, query):
    response = strict_service.get(f"CoverageId=air&{query}&MEDIATYPE=multipart/related")
    first = body_of(response).split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0]
    assert xsd_validator(first) == []
