"""From what the HTTP server hands over to a request and its route, and a URL's key."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.types import Scope

from datacube.config.settings import ServerSettings
from datacube.errors import DatacubeError, InvalidParameter, RequestTooLarge
from services.app import edge
from services.app.known import UrlKey
from services.app.routes import Route, Routes
from services.app.status import problem
from services.ows.transport import Request, Response

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
_SHORT = 2048  # bytes of headers up to which it is kept what they say
_CLIENTS = 512
_FORWARDED = (b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix")


class Told(NamedTuple):
    """What the headers of a request say.

    Parameters
    ----------
    public : (base URL, prefix)
    gzip : bool, whether the client takes it
    if_none_match : str, the header, or empty
    headers : mapping, names in lower case; each is there once
    """

    public: tuple[str, str]
    gzip: bool
    if_none_match: str
    headers: Mapping[bytes, bytes]


class Asked(NamedTuple):
    """A GET or HEAD as most are.

    Parameters
    ----------
    key : UrlKey
    told : Told
    """

    key: UrlKey
    told: Told


class Inflow:
    """Reads requests.

    Parameters
    ----------
    routes : Routes
    settings : ServerSettings
    """

    def __init__(self, routes: Routes, settings: ServerSettings) -> None:
        self._routes = routes
        self._most = settings.limits.max_body_bytes
        self._public = edge.PublicUrl(settings.public_url or "", settings.trusted_proxies)
        self._of = lru_cache(maxsize=1024)(self._public_of)
        self._known: dict[tuple[object, ...], Told | None] = {}

    def asked(self, scope: Scope) -> Asked | None:
        """A GET or HEAD that is like most; None otherwise."""
        if scope["method"] not in {"GET", "HEAD"}:
            return None
        told = self._told(scope)
        if told is None:
            return None
        return Asked(UrlKey(scope["path"], scope["query_string"], told.public, told.gzip), told)

    def _told(self, scope: Scope) -> Told | None:
        """What the headers say, found once for all requests of a client that has the same."""
        sent = scope["scheme"], _peer(scope), *scope["headers"]
        try:
            return self._known[sent]
        except KeyError:
            told = self._read(scope)
        if sum(len(name) + len(value) for name, value in scope["headers"]) <= _SHORT:
            if len(self._known) >= _CLIENTS:
                self._known.clear()
            self._known[sent] = told
        return told

    def _read(self, scope: Scope) -> Told | None:
        """What the headers say; None of a request that is not like most."""
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]) or _by_date(headers):
            return None  # a header that is there twice is for the patient
        get = headers.get
        public = self._of(
            *(scope["scheme"], get(b"host", b""), _peer(scope)),
            *[get(name, b"") for name in _FORWARDED],
        )
        gzip = edge.takes_gzip(get(b"accept-encoding", b"").decode("latin-1"))
        return Told(public, gzip, get(b"if-none-match", b"").decode("latin-1"), headers)

    def plain(self, scope: Scope, asked: Asked) -> tuple[Request, Route] | None:
        """Request and route of a GET or HEAD; None where there is more to it."""
        base_url, prefix = asked.key.public
        path = edge.below(edge.clean(asked.key.path), prefix)
        try:
            query = edge.query_pairs(asked.key.query.decode("latin-1"))
        except DatacubeError:
            return None
        headers = {
            name.decode("latin-1"): edge.clean(value.decode("latin-1"))
            for name, value in asked.told.headers.items()
        }
        route = self._routes.find(path)
        if "GET" not in route.methods:
            return None
        head = scope["method"] == "HEAD"
        return Request("GET", path, query, headers, b"", base_url, head), route

    async def understood(
        self, http: HttpRequest, *, stopping: bool
    ) -> tuple[Request, Route, Response | None]:
        """Request and route, and the answer where HTTP itself decides it.

        Parameters
        ----------
        stopping : bool, whether no new requests are taken
        """
        headers = {name: edge.clean(value) for name, value in http.headers.items()}
        base_url, prefix = self._base(http, headers)
        path = edge.below(edge.clean(http.scope["path"]), prefix)
        bare = Request(_method(http), path, (), headers, b"", base_url)
        route = self._routes.find(path)
        if stopping:
            again = [("Retry-After", "5"), ("Connection", "close")]
            return bare, route, problem(503, "Stopping", "the server is being stopped", again)
        if http.method not in _METHODS or (
            http.method != "OPTIONS" and bare.method not in route.methods
        ):
            also = {"HEAD", "OPTIONS"} if "GET" in route.methods else {"OPTIONS"}
            offered = ", ".join(sorted(route.methods | also))
            refusal = f"{http.method[:20]} is not offered here; there are {offered}"
            return bare, route, problem(405, "MethodNotAllowed", refusal, [("Allow", offered)])
        if http.method == "OPTIONS":
            return bare, route, edge.preflight(headers)
        try:
            query = edge.query_pairs(http.scope["query_string"].decode("latin-1"))
            body = await _body(http, self._most)
        except DatacubeError as error:
            return bare, route, route.refusal(error)
        head = http.method == "HEAD"
        return Request(bare.method, path, query, headers, body, base_url, head), route, None

    def _base(self, http: HttpRequest, headers: Mapping[str, str]) -> tuple[str, str]:
        scope = http.scope
        host, *forwarded = (
            headers.get(name.decode(), "").encode("latin-1", "replace")
            for name in (b"host", *_FORWARDED)
        )
        return self._of(scope["scheme"], host, _peer(scope), *forwarded)

    def _public_of(self, scheme: str, host: bytes, peer: str, *forwarded: bytes) -> tuple[str, str]:
        sent = zip(_FORWARDED, forwarded, strict=True)
        headers = {name.decode(): value.decode("latin-1") for name, value in sent}
        return self._public.of(scheme, host.decode("latin-1"), peer, headers)


def _by_date(headers: Mapping[bytes, bytes]) -> bool:
    """Whether it is the date alone that says what the client has."""
    return b"if-modified-since" in headers and b"if-none-match" not in headers


def _peer(scope: Scope) -> str:
    """Address of the client or of the proxy before the server."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _method(http: HttpRequest) -> str:
    """The method as services see it: the answer to HEAD is that to GET without its body."""
    return "GET" if http.method == "HEAD" else http.method


async def _body(http: HttpRequest, most: int) -> bytes:
    """The body; refused where it is too large, or ends before it is whole."""
    if http.method != "POST":
        return b""
    stated = http.headers.get("content-length", "0")
    if not stated.isdecimal() or len(stated) > len(str(most)) or int(stated) > most:
        raise _too_large(most)
    parts, size = [], 0
    try:
        async for part in http.stream():
            size += len(part)
            if size > most:
                raise _too_large(most)
            parts.append(part)
    except ClientDisconnect as error:
        raise InvalidParameter("the body ends before it is whole") from error
    return b"".join(parts)


def _too_large(most: int) -> RequestTooLarge:
    return RequestTooLarge(f"the body is larger than {most:,} bytes")
