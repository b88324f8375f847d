"""``/``: the page that shows the cubes, their pictures and the URLs of every service."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import sqrt

from datacube import __version__
from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.model.axis import Axis, IndexAxis, TimeAxis, axis_values
from datacube.model.bbox import BoundingBox
from datacube.model.grid import ReferenceableGrid
from services.ows.caching import DOCUMENT, conditional, etag
from services.ows.transport import Request, Response
from services.ows.urls import endpoint, segment, with_query
from services.viewer.parameters import PARAMETERS
from services.viewer.recipes import Recipe, recipes
from services.viewer.style import CSS

_PERIOD = re.compile(r"(PT?)(\d+)([YMWDHS])")
_UNITS = {
    "PY": "year",
    "PM": "month",
    "PW": "week",
    "PD": "day",
    "PTH": "hour",
    "PTM": "minute",
    "PTS": "second",
}
_LONG_SIDE = 480  # pixels of a thumbnail
_JOBS = "Coverages too large to wait for"
_ZARR = "A cube as it is committed; CUBE@VERSION is one version"
_POLICY = (
    "Content-Security-Policy",
    "default-src 'none'; img-src *; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
)


def handle(context: Context, request: Request) -> Response:
    """The landing page."""
    body = "".join(_page(context, request)).encode("utf-8", "replace")
    response = Response(200, "text/html; charset=utf-8", body, (DOCUMENT, _POLICY))
    return conditional(request, response, etag([context.catalog.version], body))


def _page(context: Context, request: Request) -> Iterator[str]:
    settings = context.settings
    cubes = context.catalog.cubes()
    title = escape(settings.title)
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n"
        f'<link rel="icon" href="{_url(request, "viewer/icon.svg")}" type="image/svg+xml">\n'
        f"<style>{CSS}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{title}</h1>\n"
    )
    if settings.abstract:
        yield f"<p>{escape(settings.abstract)}</p>\n"
    yield (
        f'<nav><a class="button main" href="{_url(request, "viewer/")}">Open the viewer</a>'
        f'<a class="button" href="{_url(request, "ogcapi/?f=html")}">OGC API</a>'
        '<a class="button" href="#services">Services</a>'
        '<a class="button" href="#parameters">Parameters</a>'
        '<a class="button" href="#recipes">Recipes</a></nav>\n</header>\n<main>\n'
    )
    yield f"<h2>{_count(len(cubes), 'cube')}</h2>\n"
    yield from _cubes(cubes, request)
    yield from _services(cubes, request, jobs=settings.jobs.running > 0)
    yield from _parameters()
    if cubes:
        yield '<h2 id="recipes">Recipes</h2>\n'
        yield from map(_recipe, recipes(cubes[0], request.base_url))
    yield f"</main>\n{_footer(settings.attribution)}</body>\n</html>\n"


def _cubes(cubes: Iterable[Cube], request: Request) -> Iterator[str]:
    cards = [_card(cube, request) for cube in cubes]
    if not cards:
        yield (
            '<p class="empty">The store holds no cube yet. '
            "<code>datacube ingest FILE --store URL</code> puts one in; it shows here within "
            "a second.</p>\n"
        )
        return
    yield '<ul class="cubes">\n'
    yield from cards
    yield "</ul>\n"


def _card(cube: Cube, request: Request) -> str:
    title = escape(cube.title)
    view = _url(request, f"viewer/#cube={segment(cube.id)}")
    collection = _url(request, f"ogcapi/collections/{segment(cube.id)}")
    wcs = escape(
        with_query(
            endpoint(request, "wcs"),
            (
                ("SERVICE", "WCS"),
                ("VERSION", "2.0.1"),
                ("REQUEST", "DescribeCoverage"),
                ("COVERAGEID", cube.id),
            ),
        )
    )
    abstract = f'<p class="abstract">{escape(cube.abstract)}</p>' if cube.abstract else ""
    credit = f"<p>{escape(cube.attribution)}</p>" if cube.attribution else ""
    return (
        f'<li class="cube"><a class="picture" href="{view}"><img loading="lazy" '
        f'src="{escape(thumbnail(cube, request))}" alt="{title}"></a><div class="text">'
        f"<h3>{title}</h3><p><code>{escape(cube.id)}</code> · {escape(_shape(cube))}</p>"
        f"{_when(cube)}{abstract}{credit}"
        f'<div class="links"><a href="{view}">Viewer</a>'
        f'<a href="{collection}?f=html">Collection</a><a href="{wcs}">WCS</a>'
        f'<a href="{collection}/coverage?f=covjson&amp;scale-factor=16">CoverageJSON</a>'
        "</div></div></li>\n"
    )


def thumbnail(cube: Cube, request: Request) -> str:
    """URL of a small map of the whole cube, in its own plane."""
    crs = cube.description.domain.grid.crs
    box = cube.description.domain.bbox
    if crs.geographic or not crs.has_code:
        box = box.geographic().unwrapped()
    width, height = _pixels(box)
    name = "CRS:84" if box.crs.geographic else box.crs.short
    low = (box.left, box.bottom) if box.crs.geographic else box.crs.ordered(box.left, box.bottom)
    high = (box.right, box.top) if box.crs.geographic else box.crs.ordered(box.right, box.top)
    pairs = (
        ("SERVICE", "WMS"),
        ("VERSION", "1.3.0"),
        ("REQUEST", "GetMap"),
        ("LAYERS", cube.id),
        ("STYLES", ""),
        ("CRS", name),
        ("BBOX", ",".join(f"{edge:.10g}" for edge in (*low, *high))),
        ("WIDTH", width),
        ("HEIGHT", height),
        ("FORMAT", "image/png"),
        ("TRANSPARENT", "TRUE"),
    )
    return with_query(endpoint(request, "wms"), pairs)


def _pixels(box: BoundingBox) -> tuple[int, int]:
    """Width and height with the long side fixed; very flat boxes are drawn a little thicker."""
    ratio = min(max(box.width / box.height if box.height else 1.0, 0.2), 5.0)
    if ratio >= 1:
        return _LONG_SIDE, round(_LONG_SIDE / ratio)
    return round(_LONG_SIDE * ratio / sqrt(2)), round(_LONG_SIDE / sqrt(2))


def _shape(cube: Cube) -> str:
    grid = cube.description.domain.grid
    height, width = grid.shape
    fields = len(cube.description.range_type.fields)
    crs = grid.crs
    bent = " of a curvilinear grid" if isinstance(grid, ReferenceableGrid) else ""
    parts = [_count(fields, "field"), f"{width:,} x {height:,} cells{bent}"]
    return " · ".join([*parts, crs.short if crs.has_code else "own projection"])


def _when(cube: Cube) -> str:
    others = [_extent(axis) for axis in cube.description.domain.axes if axis.size > 1]
    return "".join(f"<p>{escape(text)}</p>" for text in others)


def _extent(axis: Axis) -> str:
    if isinstance(axis, TimeAxis):
        step = f", every {_every(str(axis.period))}" if axis.period else ""
        first, last = (_short(axis.iso[index]) for index in (0, -1))
        return f"{first} to {last} ({axis.size:,} times{step})"
    values = [str(one) if isinstance(one, str) else f"{one:g}" for one in axis_values(axis)]
    uom = "" if isinstance(axis, IndexAxis) else f" {axis.uom}"
    return f"{axis.name}: {values[0]} to {values[-1]}{uom} ({axis.size:,})"


def _every(period: str) -> str:
    """An ISO 8601 duration as people say it; what has several parts stays."""
    if (found := _PERIOD.fullmatch(period)) is None:
        return period
    count, unit = int(found[2]), _UNITS[found[1] + found[3]]
    return unit if count == 1 else f"{count} {unit}s"


def _short(iso: str) -> str:
    """A time as people write it: without midnight, seconds and the letters."""
    date, _, clock = iso.removesuffix("Z").partition("T")
    return date if clock == "00:00:00" else f"{date} {clock.removesuffix(':00')} UTC"


def _tilejson(cube: Cube) -> str:
    return f"tiles/{segment(cube.id)}/default/WebMercatorQuad/tilejson.json"


def _services(cubes: Sequence[Cube], request: Request, *, jobs: bool) -> Iterator[str]:
    rows = [
        ("WMS 1.1.1, 1.3.0", "wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities", "Maps"),
        ("WMTS 1.0.0", "wmts/1.0.0/WMTSCapabilities.xml", "Map tiles"),
        *(("Tiles", _tilejson(one), "TileJSON for web maps") for one in cubes[:1]),
        *(("Times", f"times/{segment(one.id)}.json", "For calendars") for one in cubes[:1]),
        (
            "WCS 1.0.0, 1.1, 2.0.1",
            "wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCapabilities",
            "Values as files",
        ),
        ("OGC API", "ogcapi/", "Coverages, maps, EDR: position, trajectory, area, cube"),
        *(("Jobs", "ogcapi/processes/coverage", _JOBS) for _ in range(jobs)),
        ("OpenAPI", "ogcapi/openapi?f=html", "Every operation of the OGC API"),
        ("Conformance", "ogcapi/conformance?f=html", "What of the OGC API is there"),
        *(("Zarr", f"zarr/{segment(one.id)}/zarr.json", _ZARR) for one in cubes[:1]),
        ("Health", "healthz", "For an operator"),
        ("Metrics", "metrics", "For Prometheus"),
    ]
    yield '<h2 id="services">Services</h2>\n<div class="wide"><table>\n'
    for name, path, purpose in rows:
        url = _url(request, path)
        yield (
            f'<tr><th scope="row">{name}</th><td>{purpose}</td>'
            f'<td><a href="{url}"><code>{url}</code></a></td></tr>\n'
        )
    yield "</table></div>\n"


def _parameters() -> Iterator[str]:
    """What requests of every service may say beyond its standard."""
    yield '<h2 id="parameters">Parameters</h2>\n<div class="wide"><table>\n'
    for one in PARAMETERS:
        yield (
            f'<tr><th scope="row">{one.name}</th><td>{escape(one.where)}</td>'
            f"<td>{escape(one.meaning)}</td><td><code>{escape(one.example)}</code></td></tr>\n"
        )
    yield "</table></div>\n"


def _recipe(recipe: Recipe) -> str:
    return (
        f"<details><summary>{escape(recipe.title)}</summary><div><p>{escape(recipe.sentence)}</p>"
        f"<pre>{escape(recipe.text)}</pre></div></details>\n"
    )


def _footer(attribution: str) -> str:
    credit = f"<p>{escape(attribution)}</p>\n" if attribution else ""
    return f"<footer>\n{credit}<p>datacube-server {escape(__version__)}</p>\n</footer>\n"


def _url(request: Request, path: str) -> str:
    return escape(endpoint(request, path))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
