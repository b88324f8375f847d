"""Which path is whose. Paths are below the server's root; every service has one function."""

from collections.abc import Callable
from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.errors import DatacubeError
from datacube.jobs.jobs import Jobs
from datacube.store.objects import ObjectStore
from services.app.metrics import Metrics
from services.app.status import guide, health, not_found
from services.ogcapi import api as ogcapi
from services.ogcapi.executions import COVERAGE, EDR
from services.ogcapi.jobs import JobDoors
from services.ows.jobs import Process
from services.ows.reports import ows20_report, problem_json, wms130_report, wmts100_report
from services.ows.transport import Request, Response
from services.ows.urls import endpoint
from services.tiles import service as tiles
from services.times import service as times
from services.viewer import landing, page
from services.wcs import service as wcs
from services.wcs.process import PROCESS as GETCOVERAGE
from services.wms import service as wms
from services.wmts import service as wmts
from services.zarr import service as zarr

_EVENTS = "/events"
READ = frozenset({"GET"})
READ_OR_POST = frozenset({"GET", "POST"})
PROCESSES: tuple[Process, ...] = (COVERAGE, EDR, GETCOVERAGE)
"""What is made as jobs."""


def _never(_request: Request) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes.

    Parameters
    ----------
    service : str
        Name in log and metrics.
    handle : callable
    methods : set of str, without HEAD and OPTIONS
    refusal : callable
        Report of a request that cannot be read, in the protocol's own form.
    failure : callable
        Report of an unexpected exception in the protocol's own form, by its id in the log.
    watch : bool
        Whether it tells how the server is, and so waits for no other request.
    events : str, optional
        Of which cube it pushes changes, empty for all; nothing is pushed where None.
    brief : callable
        Whether a request may be one whose answer takes a moment: then the answer is looked for
        with ``Request.brief`` first, where nothing remote has to be read.
    """

    service: str
    handle: Callable[[Request], Response]
    methods: frozenset[str] = READ
    refusal: Callable[[DatacubeError], Response] = problem_json
    failure: Callable[[Request, str], Response] = ogcapi.failure
    watch: bool = False
    events: str | None = None
    brief: Callable[[Request], bool] = _never


class Routes:
    """The end points of one context."""

    def __init__(self, context: Context, store: ObjectStore, metrics: Metrics) -> None:
        self._context = context
        self._store = store
        self._doors = JobDoors(context, store.url, PROCESSES)
        self._ogcapi = ogcapi.OgcApi(context, self._doors)
        self._metrics = metrics

    @property
    def jobs(self) -> Jobs:
        """What is made while nobody waits for it."""
        return self._doors.jobs

    def find(self, path: str) -> Route:
        """The route of a path.

        Parameters
        ----------
        path : str
            Decoded, beginning with ``/``, without the public prefix.
        """
        head, _, tail = path.removeprefix("/").partition("/")
        match head:
            case "wms" | "wcs" if not tail:
                return self._kvp(head)
            case "wmts":
                return self._wmts(tail)
            case "ogcapi":
                return self._of_ogcapi(tail)
            case "viewer":
                return self._viewer(path, tail)
            case "tiles" | "times" | "zarr" if tail:
                return self._below(head, tail)
            case _:
                return self._own(path)

    def _of_ogcapi(self, tail: str) -> Route:
        def answer(request: Request) -> Response:
            return self._ogcapi.handle(request, tail)

        def brief(request: Request) -> bool:
            return ogcapi.is_brief(request, tail)

        return Route("ogcapi", answer, ogcapi.methods(tail), brief=brief)

    def _below(self, service: str, tail: str) -> Route:
        """Of the services without anything at their root."""
        if service == "times" and tail.endswith(_EVENTS):
            return Route("events", not_found, events=tail.removesuffix(_EVENTS))
        handle = {"tiles": tiles.handle, "times": times.handle, "zarr": zarr.handle}[service]
        brief = wmts.is_tile if service == "tiles" else _never
        return Route(service, lambda request: handle(self._context, request, tail), brief=brief)

    def _own(self, path: str) -> Route:
        match path:
            case "/events":
                return Route("events", not_found, events="")
            case "/":
                return Route("landing", lambda request: landing.handle(self._context, request))
            case "/healthz":
                return Route("healthz", lambda _: health(self._context, self._store), watch=True)
            case "/metrics":
                return Route("metrics", lambda _: self._metrics.page(), watch=True)
            case _:
                return Route("none", not_found, READ_OR_POST)

    def _kvp(self, service: str) -> Route:
        if service == "wms":
            report, failure = wms130_report, wms.failure
            return Route("wms", self._wms, READ_OR_POST, report, failure, brief=wms.is_brief)
        refusal, broken = ows20_report, wcs.failure
        return Route("wcs", self._wcs, READ_OR_POST, refusal, broken, brief=wcs.is_plain)

    def _wms(self, request: Request) -> Response:
        return guide(request, "WMS") or wms.handle(self._context, request)

    def _wcs(self, request: Request) -> Response:
        return guide(request, "WCS") or wcs.handle(self._context, request)

    def _wmts(self, tail: str) -> Route:
        def answer(request: Request) -> Response:
            if not tail:
                return guide(request, "WMTS") or wmts.handle(self._context, request)
            return wmts.handle_rest(self._context, request, tail)

        methods = READ if tail else READ_OR_POST
        return Route("wmts", answer, methods, wmts100_report, wmts.failure, brief=wmts.is_tile)

    def _viewer(self, path: str, tail: str) -> Route:
        if path == "/viewer":
            return Route("viewer", _to_viewer)
        return Route("viewer", lambda request: page.handle(self._context, request, tail))


def _to_viewer(request: Request) -> Response:
    """The page's own links are relative to its folder."""
    return Response(308, "text/plain", b"", (("Location", endpoint(request, "viewer/")),))
