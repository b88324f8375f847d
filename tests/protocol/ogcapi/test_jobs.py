"""Coverages that are too large for a direct answer, made as jobs: the same bytes, later."""

import json
import time
from dataclasses import replace

import pytest

from datacube.config.settings import Config, JobSettings, Limits, ServerSettings
from services.app import create_app
from tests.asgi import Client
from tests.cubes import make_cube

DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")
SMALL = 50_000
WIDE = Limits(max_coverage_bytes=SMALL)
LIMITS = replace(WIDE, max_stream_bytes=SMALL, max_spool_bytes=SMALL)
PROBLEM = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
WCS = "SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID=closed"


class Server:
    """An application with jobs, and one without limits, over the same store."""

    def __init__(self, folder, store, **jobs):
        self.folder, self.store, self.apps = folder, store, []
        self.settings = JobSettings(folder=str(folder), **jobs)
        self.client = self.worker()

    def worker(self):
        """One more application of the same folder."""
        settings = ServerSettings(limits=LIMITS, jobs=self.settings)
        self.apps.append(create_app(Config(settings), str(self.store)))
        return Client(self.apps[-1])

    def post(self, inputs, process="coverage", client=None, **more):
        path = f"/ogcapi/processes/{process}/execution"
        return (client or self.client).request("POST", path, json={"inputs": inputs, **more})

    def begin(self, inputs, process="coverage", **more):
        """Where a new job is."""
        answer = self.post(inputs, process, **more)
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"].endswith(answer.json()["jobID"])
        return answer.headers["location"]

    def ended(self, place, client=None):
        """A job once it has ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = (client or self.client).get(place).json()
            if status["status"] in {"successful", "failed"}:
                return status
            time.sleep(0.02)
        raise AssertionError(status)

    def files(self):
        return sorted(one.name for one in self.folder.rglob("*") if one.is_file())

    def close(self):
        for app in self.apps:
            app.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs") / "store"
    make_cube(folder, times=DAYS, width=200, height=100)
    return folder


@pytest.fixture
def server(tmp_path, store):
    made = Server(tmp_path / "jobs", store, listed=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def direct(store):
    """A client of a server that answers directly."""
    app = create_app(Config(ServerSettings(limits=WIDE)), str(store))
    yield Client(app)
    app.close()


@pytest.mark.parametrize("f", ["image/tiff", "netcdf3", "netcdf", "cog", "text/csv", "zarr"])
def test_the_file_is_the_direct_answer(server, direct, f):
    place = server.begin({"collection": "closed", "f": f})
    assert server.ended(place)["status"] == "successful"
    found = server.client.get(f"{place}/results")
    wanted = direct.get("/ogcapi/collections/closed/coverage", params={"f": f})
    assert found.status_code == wanted.status_code == 200
    assert found.content == wanted.content
    for name in ("content-type", "content-disposition"):
        assert found.headers[name] == wanted.headers[name]
    if f != "text/csv":  # which is packed on its way
        assert int(found.headers["content-length"]) == len(wanted.content)


VERSIONS = {
    "2.0.1": f"{WCS}&FORMAT=image/tiff&SUBSET=ansi(2020-01-02)",
    "1.0.0": "SERVICE=WCS&VERSION=1.0.0&REQUEST=GetCoverage&COVERAGE=closed&CRS=EPSG:4326"
    "&BBOX=-180,-90,180,90&WIDTH=250&HEIGHT=150&TIME=2020-01-02&FORMAT=GeoTIFF",
    "1.1.1": "SERVICE=WCS&VERSION=1.1.1&REQUEST=GetCoverage&IDENTIFIER=closed"
    "&BoundingBox=-90,-180,90,180,urn:ogc:def:crs:EPSG::4326&TimeSequence=2020-01-02"
    "&GridBaseCRS=urn:ogc:def:crs:EPSG::4326&GridOffsets=-1,1&FORMAT=image/tiff&plain=true",
}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_refusal_of_wcs_says_what_to_post(server, direct, version):
    refusal = server.client.get(f"/wcs?{VERSIONS[version]}")
    assert refusal.status_code == 413
    text = refusal.text.replace("&amp;", "&").replace("&quot;", '"')
    _, _, way = text.partition("POST ")
    body, rest = json.JSONDecoder().raw_decode(way)
    url = way[rest:].partition("<")[0].strip().removeprefix("to ")
    answer = server.client.request("POST", url, json=body)
    place = answer.headers["location"]
    assert server.ended(place)["status"] == "successful"
    wanted = direct.get(f"/wcs?{VERSIONS[version]}")
    assert server.client.get(f"{place}/results").content == wanted.content
