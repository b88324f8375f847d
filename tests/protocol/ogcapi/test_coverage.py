"""``/collections/{id}/coverage`` and ``/map`` by value."""

from io import BytesIO

import numpy as np
import pytest
import rasterio
import xarray
from PIL import Image

COVERAGE = "/ogcapi/collections/{}/coverage"


def answer(client, cube, query="", **headers):
    found = client.get(f"{COVERAGE.format(cube)}?{query}", headers=headers)
    assert found.status_code == 200, found.text
    return found


def values(client, cube, query, field="v"):
    array = answer(client, cube, query).json()["ranges"][field]
    numbers = np.array([np.nan if one is None else one for one in array["values"]], float)
    return numbers.reshape(array["shape"])


def geotiff(client, cube, query="", **headers):
    content = answer(client, cube, query, **headers).content
    with rasterio.MemoryFile(content) as file, file.open() as image:
        return image.read(1), image.bounds, image.nodata


def test_everything(ogcapi):
    t, y, x = np.ogrid[0:3, 0:10, 0:20]
    np.testing.assert_array_equal(values(ogcapi, "closed", ""), 1000 * t + 10 * y + x)


def test_subset_and_bbox_are_the_same(ogcapi):
    expected = [[1000, 1001], [1010, 1011]]
    for query in (
        "subset=Lat(54:90),Lon(-180:-144)",
        "subset=Lat(54:90)&subset=Lon(-180:-144)",
        "bbox=-180,54,-144,90",
        "bbox=54,-180,90,-144&bbox-crs=EPSG:4326",
        "subset=Lat(54:90),Lon(-180:-144)&subset-crs=OGC:CRS84",
    ):
        found = values(ogcapi, "closed", f"{query}&datetime=2020-01-02")
        np.testing.assert_array_equal(np.squeeze(found), expected)


def test_box_over_the_antimeridian(ogcapi):
    found = values(ogcapi, "closed", "bbox=162,72,-162,90&datetime=2020-01-01")
    np.testing.assert_array_equal(found.ravel(), [19, 0])


def test_slices(ogcapi):
    query = 'subset=Lat(81),Lon(-135),time("2020-01-03T00:00:00Z")'
    np.testing.assert_array_equal(values(ogcapi, "closed", query).ravel(), [2002])


def test_interval(ogcapi):
    found = values(ogcapi, "closed", "datetime=2020-01-02/..&subset=Lat(81),Lon(-171)")
    np.testing.assert_array_equal(found.ravel(), [1000, 2000])


def test_latest(ogcapi):
    found = values(ogcapi, "closed", "datetime=latest&subset=Lat(81),Lon(-171)")
    np.testing.assert_array_equal(found.ravel(), [2000])


def test_physical_values_in_coveragejson(ogcapi):
    query = "datetime=2020-01-02&subset=depth(10),Lat(81),Lon(-171)&properties=v"
    np.testing.assert_array_equal(values(ogcapi, "levels", query).ravel(), [1110 * 0.5 + 10])


def test_fields_in_the_asked_order(ogcapi):
    document = answer(ogcapi, "levels", "properties=v,u&subset=Lat(81),Lon(-171)").json()
    assert list(document["ranges"]) == ["v", "u"]


def test_a_mask(ogcapi):
    document = answer(ogcapi, "closed", "datetime=2020-01-02&mask=v<1050").json()
    values = np.array(document["ranges"]["v"]["values"], float).reshape(10, 20)
    stored = 1000 + 10 * np.arange(10)[:, np.newaxis] + np.arange(20)
    np.testing.assert_array_equal(values, np.where(stored < 1050, stored, np.nan))


def test_labels(ogcapi):
    found = values(ogcapi, "members", "subset=run(e1),Lat(81),Lon(-171)")
    np.testing.assert_array_equal(found.ravel(), [100_000])


@pytest.mark.parametrize(
    "query", ["scale-factor=2", "scale-size=Lon(18),Lat(9)", "width=18&height=9"]
)
def test_scaling(ogcapi, query):
    assert values(ogcapi, "plain", query).shape[-2:] == (9, 18)


def test_geotiff_raw_with_nodata(ogcapi):
    query = "f=geotiff&datetime=2020-01-02&subset=depth(50)&properties=u"
    data, bounds, nodata = geotiff(ogcapi, "levels", query)
    y, x = np.mgrid[0:10, 0:20]
    np.testing.assert_array_equal(data, 1200 + y + 0 * x)
    assert bounds == (-180, -90, 180, 90)
    assert (data.dtype, nodata) == (np.int16, -1)


def test_geotiff_by_accept_takes_the_newest_time(ogcapi):
    found = answer(ogcapi, "utm", Accept="image/tiff;application=geotiff")
    assert found.headers["content-type"].startswith("image/tiff")
    assert "Default value used: time=2020-01-03T00:00:00Z" in found.headers["warning"]
    data, bounds, _ = geotiff(ogcapi, "utm", Accept="image/tiff;application=geotiff")
    assert data[0, 0] == 2000
    assert bounds == (500_000, 5_000_000, 540_000, 5_030_000)


def test_as_gdal_asks(ogcapi):
    query = "bbox=-180,-90,180,90&scaleSize=Lat(10),Long(20)"
    data, _, _ = geotiff(ogcapi, "closed", query, Accept="image/tiff;application=geotiff")
    assert data.shape == (10, 20)


def test_netcdf(ogcapi, tmp_path):
    file = tmp_path / "levels.nc"
    found = answer(ogcapi, "levels", "f=netcdf")
    assert found.headers["content-disposition"] == 'attachment; filename="levels.nc"'
    file.write_bytes(found.content)
    with xarray.open_dataset(file, engine="netcdf4") as data:
        assert data["v"].sel(time="2020-01-02", depth=10).values[3, 4] == 1113 * 0.5 + 10


def test_freshness(ogcapi):
    moving = answer(ogcapi, "closed", "")
    pinned = answer(ogcapi, "closed", "datetime=2020-01-01")
    assert moving.headers["cache-control"] == "public, max-age=60"
    assert pinned.headers["cache-control"] == "public, max-age=86400"
    url = f"{COVERAGE.format('closed')}?datetime=2020-01-01"
    again = ogcapi.get(url, headers={"If-None-Match": pinned.headers["etag"]})
    assert again.status_code == 304


def test_map(ogcapi):
    found = ogcapi.get("/ogcapi/collections/closed/map?width=40&height=20&datetime=2020-01-01")
    assert found.headers["content-type"] == "image/png"
    with Image.open(BytesIO(found.content)) as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert pixels.shape == (20, 40, 4)
    assert (pixels[..., 3] == 255).all()
    assert (pixels[0:2, 0:2] == pixels[0, 0]).all()


def test_map_as_the_wms_draws_it(ogcapi):
    ours = ogcapi.get(
        "/ogcapi/collections/utm/map?width=64&height=48&crs=EPSG:3857"
        "&bbox=1000000,5640000,1060000,5685000&bbox-crs=EPSG:3857&datetime=2020-01-02"
    )
    wms = ogcapi.get(
        "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=utm&STYLES=&CRS=EPSG:3857"
        "&BBOX=1000000,5640000,1060000,5685000&WIDTH=64&HEIGHT=48&FORMAT=image/png"
        "&TRANSPARENT=TRUE&TIME=2020-01-02"
    )
    with Image.open(BytesIO(ours.content)) as one, Image.open(BytesIO(wms.content)) as other:
        np.testing.assert_array_equal(one.convert("RGBA"), other.convert("RGBA"))


def test_map_keeps_square_pixels(ogcapi):
    found = ogcapi.get("/ogcapi/collections/closed/map?width=100")
    with Image.open(BytesIO(found.content)) as image:
        assert image.size == (100, 50)


def test_map_as_jpeg(ogcapi):
    found = ogcapi.get("/ogcapi/collections/closed/map?f=jpeg&width=20")
    assert found.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(("rule", "columns"), [("inside", 1), ("nearest", 2), ("outside", 3)])
def test_a_rule_chooses_the_cells(ogcapi, rule, columns):
    """Centres of ``closed`` lie at -171, -153 … 171."""
    path = "/ogcapi/collections/closed/coverage"
    query = {"subset": "Lon(-160:-140)", "datetime": "2020-01-01", "f": "json", "selection": rule}
    assert ogcapi.get(path, params=query).json()["domain"]["axes"]["x"]["num"] == columns
    wrong = ogcapi.get(path, params=query | {"selection": "closest"})
    assert wrong.status_code == 400


def test_aggregates(ogcapi):
    """Three days of 1000 t + 10 y + x."""
    y, x = np.ogrid[0:10, 0:20]
    np.testing.assert_array_equal(values(ogcapi, "closed", "agg=max"), 2000 + 10 * y + x)
    counted = values(ogcapi, "closed", "agg=mean,count&window=2", "v_count")
    np.testing.assert_array_equal(counted, np.full((2, 10, 20), 2))
    flat, _, _ = geotiff(ogcapi, "closed", "agg=mean&f=geotiff")
    np.testing.assert_array_equal(flat, 1000 + 10 * y + x)
    refused = ogcapi.get(f"{COVERAGE.format('closed')}?period=month")
    assert refused.status_code == 400
    assert "agg" in refused.text


def test_a_map_of_a_window(ogcapi):
    path = "/ogcapi/collections/closed/map?width=40&height=20&f=png"
    pictures = [
        ogcapi.get(path + more)
        for more in (
            "",
            "&agg=min&window=3",
            "&aggregate=min&datetime=2000-01-01/..",
            "&agg=max&window=3",
        )
    ]
    assert [one.status_code for one in pictures] == [200] * 4
    newest, lowest, lowest_too, highest = (one.content for one in pictures)
    assert lowest == lowest_too
    assert newest == highest != lowest
