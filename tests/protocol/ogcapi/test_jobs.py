"""Coverages that are too large for a direct answer, made as jobs: the same bytes, later."""

import base64
import json
import re
import time
from dataclasses import replace
from email import message_from_bytes
from types import SimpleNamespace
from xml.sax.saxutils import unescape

import pytest

from datacube.config.settings import Config, JobSettings, Limits, ServerSettings
from datacube.formats.pieces import FilePieces
from datacube.jobs.folder import JobFolder
from datacube.jobs.record import Wish
from services.app.asgi import create_app
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

    def __init__(self, folder, store, *, limits=LIMITS, **jobs):
        self.folder, self.store, self.limits, self.apps = folder, store, limits, []
        self.settings = JobSettings(folder=str(folder), **jobs)
        self.client = self.worker()

    def worker(self):
        """One more application of the same folder."""
        settings = ServerSettings(limits=self.limits, jobs=self.settings)
        self.apps.append(create_app(Config(settings), str(self.store)))
        return Client(self.apps[-1])

    def post(self, inputs, process="coverage", client=None, headers=None, **more):
        path, body = f"/ogcapi/processes/{process}/execution", {"inputs": inputs, **more}
        return (client or self.client).request("POST", path, json=body, headers=headers)

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


def follow(server, refusal):
    """Do what a refusal proposes; where the job is that has been done."""
    _, _, way = unescape(refusal, {"&quot;": '"'}).partition("POST ")
    body, rest = json.JSONDecoder().raw_decode(way)
    url = way[rest:].partition("<")[0].strip().removeprefix("to ")
    place = server.client.request("POST", url, json=body).headers["location"]
    assert server.ended(place)["status"] == "successful"
    return place


VERSIONS = {
    "2.0.1": f"{WCS}&FORMAT=image/tiff&SUBSET=ansi(2020-01-02)",
    "1.0.0": "SERVICE=WCS&VERSION=1.0.0&REQUEST=GetCoverage&COVERAGE=closed&CRS=EPSG:4326"
    "&BBOX=-180,-90,180,90&WIDTH=250&HEIGHT=150&TIME=2020-01-02&FORMAT=GeoTIFF",
    "1.1.1": "SERVICE=WCS&VERSION=1.1.1&REQUEST=GetCoverage&IDENTIFIER=closed"
    "&BoundingBox=-90,-180,90,180,urn:ogc:def:crs:EPSG::4326&TimeSequence=2020-01-02"
    "&GridBaseCRS=urn:ogc:def:crs:EPSG::4326&GridOffsets=-1,1&FORMAT=image/tiff&plain=true",
}


def assert_leads_to(server, refusal, wanted):
    """What is posted as a refusal of WCS says gives the file that is wanted."""
    assert refusal.status_code == 413
    place = follow(server, refusal.text)
    assert server.client.get(f"{place}/results").content == wanted.content


@pytest.mark.parametrize("version", VERSIONS)
def test_the_refusal_of_wcs_says_what_to_post(server, direct, version):
    refusal = server.client.get(f"/wcs?{VERSIONS[version]}")
    assert_leads_to(server, refusal, direct.get(f"/wcs?{VERSIONS[version]}"))


def test_the_refusal_of_the_ogc_api_says_what_to_post(server, direct):
    query = "subset=Lat(-80:80)&subset=Lon(-170:170)&f=netcdf3&selection=inside"
    refusal = server.client.get(f"/ogcapi/collections/closed/coverage?{query}")
    assert refusal.status_code == 413
    place = follow(server, refusal.json()["detail"])
    assert server.client.get(place).json()["inputs"] == {
        "collection": "closed",
        "subset": "Lat(-80:80),Lon(-170:170)",
        "f": "application/x-netcdf3",
        "selection": "inside",
    }
    found = server.client.get(f"{place}/results")
    assert found.content == direct.get(f"/ogcapi/collections/closed/coverage?{query}").content


RING = "POLYGON((-100 -60, 100 -60, 0 80, -100 -60))"
EDR_QUERIES = {
    "cube?bbox=-170,-80,170,80&f=netcdf3": {"bbox": "-170,-80,170,80"},
    "cube?f=csv&datetime=2020-01-02/..&parameter-name=v": {
        "datetime": "2020-01-02/..",
        "parameter-name": "v",
    },
    f"area?coords={RING}&f=application/netcdf": {"coords": RING},
    f"area?coords={RING}&method=mean&f=csv": {"coords": RING, "method": "mean"},
}


@pytest.mark.parametrize("query", EDR_QUERIES)
def test_the_refusal_of_edr_says_what_to_post(tmp_path, store, direct, query):
    limits = replace(LIMITS, max_reduced_cells=1000)
    server = Server(tmp_path / "jobs", store, limits=limits)
    refusal = server.client.get(f"/ogcapi/collections/closed/{query}")
    assert refusal.status_code == 413
    place = follow(server, refusal.json()["detail"])
    status = server.client.get(place).json()
    assert status["processID"] == "edr"
    inputs = {one: text for one, text in status["inputs"].items() if one != "f"}
    kind = query.partition("?")[0]
    assert inputs == {"collection": "closed", "query": kind, **EDR_QUERIES[query]}
    found = server.client.get(f"{place}/results")
    wanted = direct.get(f"/ogcapi/collections/closed/{query}")
    assert (wanted.status_code, found.content) == (200, wanted.content)
    assert found.headers["content-type"] == wanted.headers["content-type"]
    server.close()


@pytest.mark.parametrize("kind", ["position", "trajectory"])
def test_values_of_places_are_no_job(server, kind):
    """They are held whole, so that a refusal says how many are given at once."""
    coords = "MULTIPOINT" if kind == "position" else "LINESTRING"
    places = ",".join(f"{x / 10} {y / 10}" for x in range(-300, 300, 10) for y in range(0, 300, 10))
    refusal = server.client.get(f"/ogcapi/collections/closed/{kind}?coords={coords}({places})")
    assert refusal.status_code == 413
    assert re.search("at most [1-9][0-9,]* places", refusal.json()["detail"])
    assert "execution" not in refusal.text
    asked = server.post({"collection": "closed", "query": kind, "coords": "POINT(1 1)"}, "edr")
    assert (asked.status_code, asked.json()["detail"]) == (400, "the input query is area or cube")


@pytest.mark.parametrize(
    ("jobs", "path"),
    [
        ({"max_bytes": SMALL}, "ogcapi/collections/closed/cube?f=netcdf3"),
        ({"max_bytes": SMALL}, "ogcapi/collections/closed/coverage?f=netcdf3"),
        ({"running": 0}, f"wcs?{WCS}&FORMAT=image/tiff"),
        ({}, "ogcapi/collections/closed/coverage?f=nonsense"),
        ({}, "wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID=none"),
    ],
)
def test_no_refusal_names_a_job_that_would_not_pass(tmp_path, store, jobs, path):
    server = Server(tmp_path / "jobs", store, **jobs)
    refusal = server.client.get(f"/{path}")
    server.close()
    assert refusal.status_code >= 400
    assert "execution" not in refusal.text
    assert not server.folder.exists()


def test_inputs_are_those_of_the_coverage(server, direct):
    """Numbers, lists, a box as the standard has it, and the format as an output's."""
    inputs = {
        "collection": "closed",
        "bbox": {"bbox": [-90, -45, 90, 45], "crs": "OGC:CRS84"},
        "properties": ["v"],
        "scale-factor": 2,
    }
    outputs = {"coverage": {"format": {"mediaType": "application/x-npy"}}}
    place = server.begin(inputs, outputs=outputs)
    assert server.ended(place)["inputs"] == {**inputs, "f": "application/x-npy"}
    query = "bbox=-90,-45,90,45&properties=v&scale-factor=2&f=application/x-npy"
    wanted = direct.get(f"/ogcapi/collections/closed/coverage?{query}")
    assert server.client.get(f"{place}/results").content == wanted.content


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"{", 400, "no JSON"),
        (b"[1]", 400, "object"),
        (b'{"inputs": []}', 400, "object"),
        (b'{"inputs": {"collection": "closed", "bbox": [NaN, 1, 2, 3]}}', 400, "no number"),
        (b"[" * 100_000, 400, "no JSON"),
        (b'{"inputs": {"collection": "a\\u0000"}}', 400, "control characters"),
        (b'{"inputs": {"collection": "\\ud800"}}', 400, "no JSON"),
        (b'{"inputs": {}}', 400, "collection"),
        (b'{"inputs": {"collection": "none"}}', 404, "none"),
        (b'{"inputs": {"collection": "../closed"}}', 404, "no cube"),
        (b'{"inputs": {"collection": "closed", "colour": "red"}}', 400, "no parameter 'colour'"),
        (b'{"inputs": {"collection": "closed", "bbox": {"href": "http://x"}}}', 400, "bbox"),
        (b'{"inputs": {"collection": "closed", "f": "gif"}}', 400, "gif"),
        (b'{"inputs": {"collection": "closed", "scale-factor": 0.0001}}', 413, "too large"),
        (b'{"inputs": {"collection": "closed"}, "subscriber": {}}', 400, "subscriber"),
        (b'{"inputs": {"collection": "closed"}, "response": "xml"}', 400, "raw or document"),
        (b'{"inputs": {"collection": "closed"}, "response": ["raw"]}', 400, "raw or document"),
        (b'{"inputs": {"collection": "closed"}, "mode": "later"}', 400, "mode is 'later'; it can"),
        (b'{"inputs": {"collection": "closed"}, "mode": 1}', 400, "auto or async or sync"),
        (b'{"inputs": {"collection": "closed"}, "outputs": {"v": {}}}', 400, "outputs"),
        (
            b'{"inputs": {}, "outputs": {"coverage": {"transmissionMode": {}}}}',
            400,
            "value or reference",
        ),
        (b'{"inputs": {"collection": "closed", "lang": 1e999}}', 400, "no JSON"),
        (b'{"inputs": {"collection": "closed", "lang": "' + b"a" * 65_536 + b'"}}', 413, "65,5"),
    ],
)
def test_what_cannot_be_made_is_refused_at_once(server, body, status, text):
    path = "/ogcapi/processes/coverage/execution"
    answer = server.client.request("POST", path, content=body)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (status, status)
    assert text in problem["detail"]
    assert not server.folder.exists()


@pytest.mark.parametrize(
    "request_",
    [
        "",
        "SERVICE=WCS&REQUEST=GetCapabilities",
        "SERVICE=WMS&REQUEST=GetMap",
        f"{WCS}&FORMAT=gml&SUBSET=Lat(%00)",
        f"{WCS}&DRYRUN=true",
        f"{WCS}&FORMAT=nonsense",
        7,
    ],
)
def test_only_getcoverage_is_made(server, request_):
    answer = server.post({"request": request_}, "getcoverage")
    assert answer.status_code == 400, answer.text
    assert server.post({"request": WCS, "more": 1}, "getcoverage").status_code == 400
    assert not server.folder.exists()


def test_a_url_is_taken_too(server, direct):
    url = f"http://host/wcs?{WCS}&FORMAT=application/x-npy"
    place = server.begin({"request": url}, "getcoverage")
    server.ended(place)
    wanted = direct.get(url.removeprefix("http://host"))
    assert server.client.get(f"{place}/results").content == wanted.content


def test_parts_of_a_file(server):
    place = f"{server.begin({'collection': 'closed', 'f': 'netcdf3'})}/results"
    server.ended(place.removesuffix("/results"))
    whole = server.client.get(place)
    assert whole.headers["accept-ranges"] == "bytes"
    head = server.client.request("HEAD", place)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))
    part = server.client.get(place, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    tag = {"If-Range": whole.headers["etag"]}
    rest = server.client.get(place, headers={"Range": "bytes=-7", **tag})
    assert rest.content == whole.content[-7:]
    other = server.client.get(place, headers={"Range": "bytes=-7", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)
    beyond = server.client.get(place, headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    known = server.client.get(place, headers={"If-None-Match": whole.headers["etag"]})
    assert known.status_code == 304


def test_the_box_of_a_cube_has_its_crs_with_it(server):
    """As ``bbox.yaml`` of 18-062r2 has it, under the name that EDR has for it."""
    box = {"bbox": [-45, -90, 45, 90], "crs": "EPSG:4326"}
    given = {"collection": "closed", "query": "cube", "f": "npy"}
    places = [
        server.begin({**given, **crs}, "edr")
        for crs in ({"bbox": box}, {"bbox": box["bbox"], "crs": box["crs"]})
    ]
    assert [server.ended(place)["status"] for place in places] == ["successful"] * 2
    one, other = (server.client.get(f"{place}/results").content for place in places)
    assert one == other


REFERENCE = {"coverage": {"transmissionMode": "reference"}}


@pytest.mark.parametrize("form", [{"response": "document"}, {"response": "raw"}, {}])
def test_a_link_to_the_file(server, form):
    """In a document and as a header: no client has to know what an empty answer means."""
    place = server.begin({"collection": "closed", "f": "npy"}, outputs=REFERENCE, **form)
    (told,) = [one for one in server.ended(place)["links"] if one["rel"].endswith("/results")]
    assert (told["href"], told["type"]) == (f"{place}/results", "application/json")
    found = server.client.get(told["href"])
    href, media_type = f"{place}/results/coverage", "application/x-npy"
    assert found.status_code == 200
    assert found.json() == {"coverage": {"href": href, "type": media_type}}
    rel = "http://www.opengis.net/def/rel/ogc/1.0/results"
    assert found.headers["link"] == f'<{href}>; rel="{rel}"; type="{media_type}"'
    assert server.client.get(href).content.startswith(b"\x93NUMPY")


@pytest.mark.parametrize("f", ["npy", "netcdf3", "text/csv"])
def test_a_document_with_the_file_in_it(server, f):
    place = server.begin({"collection": {"value": "closed"}, "f": f}, response="document")
    server.ended(place)
    answer = server.client.get(f"{place}/results", headers={"Accept-Encoding": "identity"})
    whole = server.client.get(f"{place}/results/coverage")
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    found = answer.json()["coverage"]
    assert base64.b64decode(found.pop("value"), validate=True) == whole.content
    assert found == {"mediaType": whole.headers["content-type"], "encoding": "base64"}


@pytest.mark.parametrize("media_type", ["application/netcdf", "image/vnd.cog"])
def test_a_file_made_on_disk_is_not_copied(server, monkeypatch, media_type):
    def never(_self):
        raise AssertionError("its bytes are read")

    with monkeypatch.context() as patched:
        patched.setattr(FilePieces, "__next__", never)
        places = [
            server.begin({"collection": "closed", "f": media_type}),
            server.begin(
                {"request": f"{WCS}&FORMAT={media_type}&SUBSET=ansi(2020-01-02)"}, "getcoverage"
            ),
        ]
        assert [server.ended(place)["status"] for place in places] == ["successful"] * 2
    assert server.files().count("result") == 2
    for place in places:
        assert server.client.get(f"{place}/results").content[:4] in {b"\x89HDF", b"II*\0"}


def test_the_folder_for_temporary_files_may_be_full(server, monkeypatch):
    """What a job needs lies with it."""
    monkeypatch.setattr(
        "datacube.formats.spool.disk_usage",
        lambda place: SimpleNamespace(
            free=1 << 40 if server.folder.parent in (place, *place.parents) else 0
        ),
    )
    place = server.begin({"collection": "closed", "f": "netcdf"})
    assert server.ended(place)["status"] == "successful"


@pytest.fixture
def occupied(server):
    """The server while another process works at a job."""
    folder = JobFolder(server.folder, server.settings)
    folder.add(Wish("coverage", {}, ""), 1, 1)
    claim = folder.claim()
    yield server
    claim.release()


def test_a_job_that_waits(occupied):
    answer = occupied.post({"collection": "closed"})
    assert "preference-applied" not in answer.headers
    place = answer.headers["location"]
    status = occupied.client.get(place).json()
    assert (status["status"], status["progress"]) == ("accepted", 0)
    assert {link["rel"]: link["href"] for link in status["links"]} == {
        "self": place,
        "monitor": place,
    }
    early = occupied.client.get(f"{place}/results")
    assert (early.status_code, early.json()["type"]) == (404, f"{PROBLEM}/result-not-ready")
    gone = occupied.client.request("DELETE", place)
    assert (gone.status_code, gone.json()["status"]) == (200, "dismissed")
    after = occupied.client.get(place)
    assert (after.status_code, after.json()["type"]) == (404, f"{PROBLEM}/no-such-job")
    assert len(list(occupied.folder.glob("*/job.json"))) == 1


def test_as_many_wait_as_may(tmp_path, store):
    server = Server(tmp_path / "jobs", store, waiting=1)
    folder = JobFolder(server.folder, server.settings)
    folder.add(Wish("coverage", {}, ""), 1, 1)
    claim = folder.claim()
    server.begin({"collection": "closed"})
    refused = server.post({"collection": "closed"})
    server.close()
    claim.release()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
    assert refused.json()["title"] == "TooManyJobs"


def test_two_workers(server):
    """Each answers for the jobs of the other; what one dismisses the other does not make."""
    other = server.worker()
    place = server.begin({"collection": "closed", "f": "npy"})
    assert server.ended(place, other)["status"] == "successful"
    found = other.get(f"{place}/results").content
    assert found == server.client.get(f"{place}/results").content
    assert other.request("DELETE", place).json()["status"] == "dismissed"
    assert server.client.get(place).status_code == 404
    assert "result" not in server.files()


def test_a_job_that_fails_says_why(server):
    place = server.begin({"collection": "closed", "f": "text/csv"})
    identifier = place.rpartition("/")[2]
    server.ended(place)
    folder = JobFolder(server.folder, server.settings)
    failed = replace(
        folder.find(identifier),
        state="failed",
        failure="RequestTooLarge",
        message="it is too large",
        file=None,
    )
    folder.write(failed)
    status = server.client.get(place).json()
    assert (status["status"], status["message"]) == ("failed", "it is too large")
    (link,) = [one for one in status["links"] if one["rel"].endswith("/exceptions")]
    answer = server.client.get(link["href"])
    assert (answer.status_code, answer.json()["detail"]) == (413, "it is too large")


def test_a_job_expires(tmp_path, store):
    server = Server(tmp_path / "jobs", store, keep_ms=400)
    place = server.begin({"collection": "closed", "f": "npy"})
    deadline = time.monotonic() + 60
    while server.client.get(place).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    while "job.json" in server.files():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.close()
    assert "result" not in server.files()


CHOICES = {
    "status=failed,successful": 2,
    "status=accepted,running": 0,
    "processID=getcoverage": 0,
    "processID=getcoverage,coverage&type=process": 2,
    "datetime=2020-01-01T00:00:00Z/..": 2,
    "datetime=../2020-01-01T00:00:00Z": 0,
    "datetime=2020-01-01": 0,
    "minDuration=0&maxDuration=1000": 2,
    "minDuration=1000": 0,
    "maxDuration=0": 0,
    "limit=10000": 2,
}


def test_the_list(server):
    places = [server.begin({"collection": "closed", "f": f}) for f in ("npy", "netcdf3")]
    for place in places:
        server.ended(place)
    document = server.client.get("/ogcapi/jobs").json()
    assert [one["links"][0]["href"] for one in document["jobs"]] == places[::-1]
    assert len(server.client.get("/ogcapi/jobs?limit=1").json()["jobs"]) == 1
    assert server.client.get("/ogcapi/jobs?status=running").json()["jobs"] == []
    assert len(server.client.get("/ogcapi/jobs?processID=coverage").json()["jobs"]) == 2
    for query, count in CHOICES.items():
        listed = server.client.get(f"/ogcapi/jobs?{query}")
        assert (listed.status_code, len(listed.json()["jobs"])) == (200, count), query
    for query in ("status=lost", "type=coverage", "limit=0", "minDuration=-1", "datetime=latest"):
        assert server.client.get(f"/ogcapi/jobs?{query}").status_code == 400, query
    assert server.client.get("/ogcapi/jobs?f=html").status_code == 400


@pytest.mark.parametrize("path", ["processes", "processes/edr", "jobs", "jobs/{job}"])
def test_what_accept_wants(server, path):
    job = server.begin({"collection": "closed", "f": "npy"}, headers={"Accept": "image/tiff"})
    url = f"/ogcapi/{path.format(job=job.rpartition('/')[2])}"
    for accept, status in (
        ("text/html", 406),
        ("application/json;q=0, text/html", 406),
        ("text/html, */*;q=0.1", 200),
        ("application/json", 200),
    ):
        assert server.client.get(url, headers={"Accept": accept}).status_code == status, accept
    assert server.client.get(f"{url}?f=json", headers={"Accept": "text/html"}).status_code == 200


def test_no_list_where_none_is_wanted(ogcapi):
    answer = ogcapi.get("/ogcapi/jobs")
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
    rels = [link["rel"] for link in ogcapi.get("/ogcapi/").json()["links"]]
    assert any(rel.endswith("/processes") for rel in rels)
    assert not any(rel.endswith("/job-list") for rel in rels)


def test_documents_tell_of_jobs(server):
    landing = server.client.get("/ogcapi/?f=json").json()
    for rel, path in (("processes", "processes"), ("job-list", "jobs")):
        (link,) = [one for one in landing["links"] if one["rel"].endswith(f"/{rel}")]
        assert link["href"] == f"http://test/ogcapi/{path}"
    classes = server.client.get("/ogcapi/conformance").json()["conformsTo"]
    found = {one.rpartition("/")[2] for one in classes if "ogcapi-processes-1" in one}
    assert found == {"core", "ogc-process-description", "json", "oas30", "dismiss", "job-list"}
    assert {"get", "delete"} <= set(
        server.client.get("/ogcapi/openapi").json()["paths"]["/jobs/{jobID}"]
    )


REQUIRED = {
    "coverage": ["collection"],
    "edr": ["collection", "query"],
    "getcoverage": ["request"],
}


def test_the_processes(server):
    listed = server.client.get("/ogcapi/processes").json()
    assert [one["id"] for one in listed["processes"]] == ["coverage", "edr", "getcoverage"]
    assert len(server.client.get("/ogcapi/processes?limit=1").json()["processes"]) == 1
    for one in listed["processes"]:
        here = next(link["href"] for link in one["links"] if link["rel"] == "self")
        described = server.client.get(here).json()
        assert described["jobControlOptions"] == ["async-execute", "dismiss"]
        assert set(described["outputs"]) == {"coverage"}
        required = [name for name, part in described["inputs"].items() if part["minOccurs"]]
        assert required == REQUIRED[one["id"]]
    inputs = server.client.get("/ogcapi/processes/coverage").json()["inputs"]
    assert {"bbox", "datetime", "subset", "properties", "scale-factor", "f"} <= set(inputs)
    unknown = server.client.get("/ogcapi/processes/none")
    assert (unknown.status_code, unknown.json()["type"]) == (404, f"{PROBLEM}/no-such-process")


def test_nothing_of_jobs_where_none_are_taken(tmp_path, store):
    server = Server(tmp_path / "jobs", store, running=0)
    landing = server.client.get("/ogcapi/?f=json").json()
    assert not any(link["rel"].endswith("/processes") for link in landing["links"])
    classes = server.client.get("/ogcapi/conformance").json()["conformsTo"]
    assert not any("ogcapi-processes-1" in one for one in classes)
    paths = server.client.get("/ogcapi/openapi").json()["paths"]
    assert not any(path.startswith(("/processes", "/jobs")) for path in paths)
    assert server.client.get("/ogcapi/processes").status_code == 404
    assert server.post({"collection": "closed"}).status_code == 404
    server.close()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "processes/coverage/execution", "OPTIONS, POST"),
        ("DELETE", "jobs", "GET, HEAD, OPTIONS"),
        ("POST", "jobs/x", "DELETE, GET, HEAD, OPTIONS"),
        ("POST", "collections", "GET, HEAD, OPTIONS"),
    ],
)
def test_methods(server, method, path, allowed):
    answer = server.client.request(method, f"/ogcapi/{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


XML = """<wcs:GetCoverage xmlns:wcs="http://www.opengis.net/wcs/2.0" service="WCS" version="2.0.1">
<wcs:CoverageId>closed</wcs:CoverageId>
<wcs:DimensionSlice><wcs:Dimension>ansi</wcs:Dimension>
<wcs:SlicePoint>2020-01-02</wcs:SlicePoint></wcs:DimensionSlice>
<wcs:format>image/tiff</wcs:format></wcs:GetCoverage>"""
SOAP = f"""<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
{XML}</s:Body></s:Envelope>"""


@pytest.mark.parametrize("document", [XML, SOAP])
def test_the_refusal_of_a_document_says_what_to_post(server, direct, document):
    refusal = server.client.request("POST", "/wcs", content=document)
    assert_leads_to(server, refusal, direct.get(f"/wcs?{VERSIONS['2.0.1']}"))


def test_a_file_for_each_time(server, direct):
    """WCS 1.1 sends several files behind a document; so does the job."""
    times = "TimeSequence=2020-01-01,2020-01-02"
    query = VERSIONS["1.1.1"].replace("TimeSequence=2020-01-02", times).removesuffix("&plain=true")
    place = server.begin({"request": query}, "getcoverage")
    assert server.ended(place)["status"] == "successful"
    found, wanted = server.client.get(f"{place}/results"), direct.get(f"/wcs?{query}")
    assert found.headers["content-type"].startswith("multipart/")
    one, other = (parts_of(each) for each in (found, wanted))
    assert one == other
    assert [name for name, _ in one] == ["text/xml", "image/tiff", "image/tiff"]


def parts_of(answer):
    """Media type and content of each part of a message, whatever stands between them."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + answer.content)
    return [(one.get_content_type(), one.get_payload(decode=True)) for one in message.get_payload()]
