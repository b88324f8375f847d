"""Forecasts at every door: valid time by default of the newest run, or of a run or lead time."""

import json
from io import BytesIO

import numpy as np
import pytest
from lxml import etree
from PIL import Image

from datacube.config.settings import Config, CubeSettings
from datacube.render.style import ColorRamp
from services.app.asgi import create_app
from services.cli.plan import explain
from tests.asgi import Client
from tests.forecasts import BEST, add_runs, make_forecast

STYLE = ColorRamp("exact", "One grey for ten", "", "gray", 0.0, 2550.0)
WMS = "/wms?SERVICE=WMS&VERSION=1.3.0"
MAP = (
    f"{WMS}&REQUEST=GetMap&LAYERS=model.v&STYLES=exact&CRS=CRS:84&BBOX=-180,-90,180,90"
    "&WIDTH=10&HEIGHT=5&FORMAT=image/png&TRANSPARENT=TRUE"
)
INFO = (
    f"{WMS}&REQUEST=GetFeatureInfo&LAYERS=model.v&QUERY_LAYERS=model.v&STYLES=&CRS=CRS:84"
    "&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&FORMAT=image/png&INFO_FORMAT=application/json"
    "&I=3&J=2"
)
WMTS = "/wmts/1.0.0"
NAMES = {"w": "http://www.opengis.net/wms", "t": "http://www.opengis.net/wmts/1.0"} | {
    "o": "http://www.opengis.net/ows/1.1"
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    store = tmp_path_factory.mktemp("forecasts")
    make_forecast(store)
    app = create_app(Config(cubes={"model": CubeSettings(styles=(STYLE,))}), str(store))
    yield app
    app.close()


@pytest.fixture(scope="module")
def client(app):
    return Client(app)


def info(client, query=""):
    """Properties of the value at row 2, column 3."""
    answer = client.get(f"{INFO}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["features"][0]["properties"]


def value(run, step):
    return 1000 * run + 100 * step + 23


def grey(client, url):
    """Shades of a picture, -1 where it is transparent."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    with Image.open(BytesIO(answer.content)) as image:
        pixels = np.asarray(image.convert("RGBA")).astype(int)
    return np.where(pixels[..., 3] == 0, -1, pixels[..., 0])


def drawn(client, url):
    """The (run, step) in a picture in the style ``exact``; None where it is transparent."""
    shades = grey(client, url)
    if (shades == -1).all():
        return None
    middle = int(np.median(shades))
    return middle // 100, middle % 100 // 10


@pytest.mark.parametrize(("time", "place"), BEST.items())
def test_a_valid_time_is_of_the_newest_run_that_holds_it(client, time, place):
    assert drawn(client, f"{MAP}&TIME={time}") == place
    found = info(client, f"&TIME={time}")
    assert (found["value"], found["time"]) == (value(*place), time)
    assert found["reference_time"] == f"2020-01-0{place[0] + 1}T00:00:00Z"
    assert found["step"] == 12.0 * place[1]


def test_the_default_is_the_last_valid_time(client):
    answer = client.get(MAP)
    assert drawn(client, MAP) == (2, 2)
    assert answer.headers.get_list("warning") == [
        "99 Default value used: time=2020-01-04T00:00:00Z ISO8601",
        "99 Default value used: reference_time=2020-01-03T00:00:00Z ISO8601",
    ]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("TIME=2020-01-02T12:00:00Z&DIM_REFERENCE_TIME=2020-01-01T00:00:00Z", (0, 3)),
        ("TIME=2020-01-02T12:00:00Z&DIM_REFERENCE_TIME=2020-01-01", (0, 3)),
        ("TIME=2020-01-02T12:00:00Z&REFERENCE_TIME=2020-01-01T03:00:00Z", (0, 3)),
        ("TIME=2020-01-02T12:00:00Z&DIM_REFERENCE_TIME=current", (1, 1)),
        ("TIME=2020-01-02T12:00:00Z&DIM_REFERENCE_TIME=2020-01-03", None),
        ("TIME=2020-01-03T00:00:00Z&DIM_REFERENCE_TIME=2020-01-02T00:00:00Z", None),
        ("TIME=2020-01-03&DIM_REFERENCE_TIME=2020-01-02", (1, 3)),
        ("TIME=2020-01-03&DIM_REFERENCE_TIME=2019-01-01", None),
        ("DIM_REFERENCE_TIME=2020-01-02", (1, 3)),
        ("TIME=2020-01-02&DIM_STEP=24", (0, 2)),
        ("DIM_STEP=0", (2, 0)),
        ("DIM_STEP=36&DIM_REFERENCE_TIME=2020-01-01", (0, 3)),
        ("DIM_STEP=24&DIM_REFERENCE_TIME=2020-01-02", None),
        ("TIME=2020-01-02/2020-01-03", (1, 3)),
    ],
)
def test_a_run_and_a_lead_time(client, query, place):
    assert drawn(client, f"{MAP}&{query}") == place


def test_the_nearest_run_is_told(client):
    answer = client.get(f"{MAP}&TIME=2020-01-02&DIM_REFERENCE_TIME=2020-01-01T03:00:00Z")
    note = "99 Nearest value used: reference_time=2020-01-01T00:00:00Z ISO8601"
    assert answer.headers.get_list("warning") == [note]


@pytest.mark.parametrize("run", ["2020-01-01/2020-01-02", "2020-01-01,2020-01-02", "monday"])
def test_a_run_is_one_instant(client, run):
    answer = client.get(f"{MAP}&DIM_REFERENCE_TIME={run}")
    assert "InvalidDimensionValue" in answer.text


def test_an_aggregate_of_the_newest_runs_and_of_one_run(client):
    best = info(client, "&TIME=2020-01-01/2020-01-04&AGG=mean")
    assert best["value"] == np.mean([value(*place) for place in BEST.values()])
    first = info(client, "&TIME=2020-01-01/2020-01-04&AGG=max&DIM_REFERENCE_TIME=2020-01-01")
    assert (first["value"], first["count"]) == (value(0, 3), 4)


def test_how_long_a_picture_is_kept(client):
    kept = {
        query: "86400" in client.get(f"{MAP}&{query}").headers["cache-control"]
        for query in (
            "TIME=2020-01-02T00:00:00Z",
            "TIME=2020-01-02T00:00:00Z&DIM_REFERENCE_TIME=2020-01-02T00:00:00Z",
            "TIME=2020-01-02T00:00:00Z&DIM_REFERENCE_TIME=latest",
            "TIME=2020-01-02T00:00:00Z&DIM_STEP=24",
            "DIM_REFERENCE_TIME=2020-01-02T00:00:00Z",
        )
    }
    assert list(kept.values()) == [False, True, False, True, False]


def test_wms_lists_valid_times_and_runs_once(client):
    root = etree.fromstring(client.get(f"{WMS}&REQUEST=GetCapabilities").content)
    assert root.xpath("//w:Layer/w:Name/text()", namespaces=NAMES) == ["model", "model.v"]
    layer = root.xpath("//w:Layer[w:Name='model.v']", namespaces=NAMES)[0]
    time, runs = layer.findall("w:Dimension", NAMES)
    assert (time.get("name"), time.get("default")) == ("time", "2020-01-04T00:00:00Z")
    assert time.text == "2020-01-01T00:00:00Z/2020-01-04T00:00:00Z/PT12H"
    assert dict(runs.attrib) == {
        "name": "reference_time",
        "units": "ISO8601",
        "default": "current",
        "nearestValue": "1",
        "multipleValues": "0",
        "current": "1",
    }
    assert runs.text == "2020-01-01T00:00:00Z/2020-01-03T00:00:00Z/P1D"


def test_wmts_lists_and_takes_them(client):
    root = etree.fromstring(client.get(f"{WMTS}/WMTSCapabilities.xml").content)
    layer = root.xpath("//t:Layer[o:Identifier='model.v']", namespaces=NAMES)[0]
    names = layer.xpath("t:Dimension/o:Identifier/text()", namespaces=NAMES)
    assert names == ["time", "reference_time"]
    assert layer.xpath("t:Dimension[2]/t:Value/text()", namespaces=NAMES) == [
        *("2020-01-01", "2020-01-02", "2020-01-03")
    ]
    template = layer.find("t:ResourceURL", NAMES).get("template")
    assert "{Style}/{time}/{reference_time}/{TileMatrixSet}" in template
    tile = f"{WMTS}/model.v/exact/2020-01-02T12:00:00Z"
    assert drawn(client, f"{tile}/2020-01-01/WorldCRS84Quad/1/0/0.png") == (0, 3)
    assert drawn(client, f"{tile}/current/WorldCRS84Quad/1/0/0.png") == (1, 1)
    assert drawn(client, f"{tile}/WorldCRS84Quad/1/0/0.png") == (1, 1)


def test_the_picture_of_a_collection(client):
    start = "width=10&height=5&style=exact&datetime=2020-01-02T12:00:00Z"
    for name in ("model", "model__best"):
        url = f"/ogcapi/collections/{name}/map?{start}"
        assert drawn(client, url) == (1, 1)
        assert drawn(client, f"{url}&dim_reference_time=2020-01-01") == (0, 3)
        assert drawn(client, f"{url.replace('T12', 'T00')}&step=24") == (0, 2)


def test_wcs_has_both_axes_and_the_best_view(client):
    wcs = "/wcs?SERVICE=WCS&VERSION=2.0.1"
    assert "model__best" in client.get(f"{wcs}&REQUEST=GetCapabilities").text
    get = f"{wcs}&REQUEST=GetCoverage&FORMAT=text/csv&SUBSET=Lat(0)&SUBSET=Long(-54)"
    best = client.get(f"{get}&COVERAGEID=model__best")
    assert numbers(best.text) == [value(*place) for place in BEST.values()]
    one = client.get(f'{get}&COVERAGEID=model__best&SUBSET=ansi("2020-01-03T12:00:00Z")')
    assert numbers(one.text) == [value(1, 3)]
    raw = f'{get}&COVERAGEID=model&SUBSET=reference_time("2020-01-02T00:00:00Z")&SUBSET=step(36)'
    assert numbers(client.get(raw).text) == [value(1, 3)]
    described = client.get(f"{wcs}&REQUEST=DescribeCoverage&COVERAGEID=model,model__best").text
    assert described.count("<wcs:CoverageDescription ") == 2


def numbers(text):
    """The last column of a CSV document."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [float(line.rpartition(",")[2]) for line in lines[1:]]


def test_series_at_a_place(client):
    url = "/ogcapi/collections/model__best/position?coords=POINT(-54 0)&f=covjson"
    found = json.loads(client.get(url).text)
    assert found["ranges"]["v"]["values"] == [value(*place) for place in BEST.values()]
    assert found["domain"]["axes"]["t"]["values"] == list(BEST)


def test_the_viewer_goes_along_valid_times(client):
    (cube,) = client.get("/viewer/cubes.json").json()["cubes"]
    assert (cube["id"], cube["times"]["count"]) == ("model", 7)
    assert client.get("/viewer/cubes/model/times.json").json()["times"] == list(BEST)
    lasting = client.get(f"{MAP}&TIME=2020-01-02T00:00:00Z&V={cube['token']}")
    assert "immutable" in lasting.headers["cache-control"]


def test_plans(app):
    (best,) = explain(app.context, f"{MAP}&TIME=2020-01-02T12:00:00Z")
    assert (best.reads.chunks, best.steps) == (1, 1)
    (one,) = explain(app.context, f"{MAP}&TIME=2020-01-02T12:00:00Z&DIM_REFERENCE_TIME=2020-01-01")
    assert "run0" in one.snapshot
    (absent,) = explain(
        app.context, f"{INFO}&TIME=2020-01-03T00:00:00Z&DIM_REFERENCE_TIME=2020-01-02"
    )
    assert absent.reads.chunks == 0


def test_a_new_run_changes_the_pictures_that_it_has(tmp_path):
    make_forecast(tmp_path)
    app = create_app(Config(cubes={"model": CubeSettings(styles=(STYLE,))}), str(tmp_path))
    client = Client(app)
    old, new = (f"{MAP}&TIME=2020-01-0{day}T00:00:00Z" for day in (2, 4))
    before = [client.get(url).headers["etag"] for url in (old, new)]
    add_runs(tmp_path, "model", ("2020-01-04",), (3,))
    app.context.catalog._seen = app.context.catalog._look_again()
    after = [client.get(url).headers["etag"] for url in (old, new)]
    assert before[0] == after[0]
    assert before[1] != after[1]
    found = info(client, "&TIME=2020-01-04T00:00:00Z")
    assert (found["value"], found["reference_time"]) == (value(3, 0), "2020-01-04T00:00:00Z")
    app.close()


@pytest.mark.parametrize("asked", ["DIM_REFERENCE_TIME=2020-01-01", "DIM_STEP=12"])
@pytest.mark.parametrize("series", ["GetFeatureInfo&SERIES=true", "GetTimeseries"])
def test_a_series_of_one_run_is_refused_not_answered_with_that_of_all(client, series, asked):
    query = INFO.replace("GetFeatureInfo", series)
    times = client.get(query.replace("SERIES=true", "SERIES=true&DIM_REFERENCE_TIME=current"))
    assert "2020-01-04T00:00:00Z" in times.text
    answer = client.get(f"{query}&{asked}")
    assert "InvalidDimensionValue" in answer.text
    assert "ask for the coverage model" in answer.text
