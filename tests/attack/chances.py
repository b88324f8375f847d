"""Requests that are meant badly, or by nobody: made by chance, the same for the same seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.attack.documents import sld_document, wcs_document

type Pairs = list[tuple[str, str]]

LAYERS = ("globe", "globe.v", "around.v", "utm.v", "holes", "deep.v", "model.v", "none", "../deep")
NASTY = (
    "", " ", "0", "-1", "1", "1e308", "-1e400", "NaN", "inf", "-inf", "nan,nan,nan,nan",
    "-inf,-inf,inf,inf", "0,0,0,0", "10,10,-10,-10", "1e-320,1e-320,2e-320,2e-320",
    "-1e308,-1e308,1e308,1e308", "1_0", "0x10", "\x00", "\x00\x01\x1f", "'\"<>&%", "%00", "%s%n",
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "file:///etc/passwd", "C:\\x",
    "http://169.254.169.254/latest/meta-data", "http://[::1", "gopher://127.0.0.1:25/", "\\\\h\\s",
    "\r\nSet-Cookie: a=b", "a\nX-Injected: 1", "\u2028", "\u202e", "\ud800", "\N{PILE OF POO}",
    "\N{ARABIC-INDIC DIGIT FIVE}", "\N{SUPERSCRIPT TWO}", "a" * 3000, "9" * 400, "(" * 500,
    "1'; DROP TABLE x--", "${jndi:ldap://x}", "{{7*7}}", "$(id)", "__import__('os')", "[" * 200,
    "2020-01-01", "2020-02-30", "2020-01-01/2020-01-02/PT0S", "2020/2019", "P1D", "2020/P1D/P1D",
    "0000-01-01T00:00:00Z/9999-12-31T23:59:59Z/PT1S", "P999999999Y/2020", "current", "latest/..",
    "EPSG:4326", "EPSG:3857", "EPSG:32632", "EPSG:4978", "EPSG:0", "EPSG:99999999999999999999",
    "CRS:84", "AUTO2:42001,1,0,91", "urn:ogc:def:crs:EPSG::3413", "+proj=longlat +datum=WGS84",
    "http://www.opengis.net/def/crs/EPSG/0/4326", "ESRI:54009", "PROJCS[", "image/png",
    "image/apng",
    "image/png; mode=8bit", "application/json", "text/xml", "video/mp4", "image/tiff", "netcdf",
    "text/csv", "multipart/related", "application/x-zarr", "true", "false", "MAYBE", "*", "*,*",
    "cmap:jet,range:0/1", "cmap:", "boxfill/rainbow", "contour/jet", "vector/x", "auto", "5,5",
    "0,1",
    "9" * 5000, "P" + "9" * 5000 + "D", " " * 5000 + "v v", "Long(1e308)", "Long(1e-310)",
    "Lat(-1e308:1e308)", "ansi(1e999)", "unix(1e308)", "v:" + "9" * 5000, "http://localhost:x/ y",
    "v", "v:v", "v+1", "v/0", "v**v**v", "((((v", "where(v>1,v,nodata)", '"utm".v', "v:bit99",
    "!v:3",
    "Lat(40,46)", "Lat(NaN,NaN)", "Long(-inf,inf)", "Lat(", "ansi(*,*)", "x,EPSG:3857(1,2)",
    "i(0:9)",
    "0.5", "1e-300", "1e300", "0:10", "Long(0)", "Lat(1e9),Long(1e9)", "LINESTRING(0 0, 1 1)",
    "POLYGON((0 0, 0 1, 1 1, 0 0))", "POINT(1e308 1e308)", "0 0,50 20", "nan nan,1 1", "P1M",
    "mean",
    "p101", "count", "month", "PT0S", "2.0.1", "1.0.0", "9.9.9", "1.1.1,1.3.0", "nearest", "cubic",
)  # fmt: skip
SIZES = ("1", "7", "12", "64", "0", "-5", "1e9", "4097", "2147483648", "12.5", "NaN", "99999999999")
WMS = (
    "GetCapabilities", "GetMap", "GetMap", "GetMap", "GetFeatureInfo", "GetFeatureInfo",
    "GetLegendGraphic", "GetTimeseries", "GetVerticalProfile", "GetTransect", "GetVerticalSection",
    "GetHovmoller", "GetMetadata", "DescribeLayer", "GetStyles", "GetSchemaExtension", "Exec",
)  # fmt: skip
WMS_NAMES = (
    "LAYERS", "QUERY_LAYERS", "LAYER", "STYLES", "STYLE", "CRS", "SRS", "BBOX", "WIDTH", "HEIGHT",
    "FORMAT", "INFO_FORMAT", "I", "J", "X", "Y", "TIME", "ELEVATION", "DIM_SCENARIO", "DIM_DEPTH",
    "DIM_../../etc/passwd", "DIM_REFERENCE_TIME", "BGCOLOR", "TRANSPARENT", "EXCEPTIONS", "VERSION",
    "PALETTE", "COLORSCALERANGE", "NUMCOLORBANDS", "LOGSCALE", "ABOVEMAXCOLOR", "BELOWMINCOLOR",
    "OPACITY", "MASK", "EXPR", "AGG", "PERIOD", "WINDOW", "INTERPOLATION", "DPI", "MAP_RESOLUTION",
    "FORMAT_OPTIONS", "SLD", "SLD_BODY", "LEGEND_OPTIONS", "ANIMATION", "FPS", "HOLD", "FADE",
    "CAPTION", "LEGEND", "LINESTRING", "ITEM", "RESOLUTION", "FEATURE_COUNT", "CUBE",
    "UPDATESEQUENCE",
    "SERVICE", "REQUEST", "v", "dpi", "map", "RULE", "SCALE", "COLORBARONLY", "DAY", "CHART_WIDTH",
)  # fmt: skip
WCS = ("GetCapabilities", "DescribeCoverage", "GetCoverage", "GetCoverage", "GetCoverage", "Exec")
WCS_NAMES = (
    "COVERAGEID", "COVERAGE", "IDENTIFIER", "SUBSET", "SUBSET", "SUBSET7", "RANGESUBSET", "FORMAT",
    "MEDIATYPE", "SCALEFACTOR", "SCALESIZE", "SCALEAXES", "SCALEEXTENT", "RESOLUTION", "WIDTH",
    "HEIGHT", "RESX", "RESY", "SUBSETTINGCRS", "OUTPUTCRS", "INTERPOLATION", "SECTIONS", "BBOX",
    "CRS", "RESPONSE_CRS", "TIME", "BoundingBox", "TimeSequence", "GridBaseCRS", "GridOffsets",
    "GridOrigin", "RangeSubset", "store", "CLIP", "AGG", "PERIOD", "DRYRUN", "SELECTION", "values",
    "times", "COMPRESSION", "geotiff:compression", "depth", "ACCEPTVERSIONS", "UPDATESEQUENCE",
)  # fmt: skip
TILE_PARTS = (
    "tiles", "wmts", "1.0.0", "globe.v", "globe", "default", "exact", "WebMercatorQuad",
    "WorldCRS84Quad", "0", "1", "-1", "99", "4294967296", "0.png", "0.npy", "0.tif", "0@2x.png",
    "WMTSCapabilities.xml", "..", "%2e%2e", "etc", "passwd", "times", "globe.json", "zarr",
    "globe", "zarr.json", "c", ".zattrs", "ogcapi", "collections", "items", "coverage", "map",
    "position", "area", "cube", "viewer", "cubes.json", "conformance", "api", "schema",
)  # fmt: skip
PATH_NAMES = (
    "time", "elevation", "style", "f", "bbox", "subset", "datetime", "coords", "parameter-name",
    "scale-factor", "scale-size", "width", "height", "crs", "bbox-crs", "limit", "q", "from", "to",
    "method", "z", "SLD_BODY", "EXPR", "COLORSCALERANGE", "within",
)  # fmt: skip
HEADERS = (
    ("Host", "evil.example:99999"), ("X-Forwarded-Host", "a\tb"), ("X-Forwarded-Proto",
    "javascript"),
    ("X-Forwarded-Prefix", "/../.."), ("Forwarded", "for=1;host=\"'\""), ("Accept-Encoding",
    "x;q=9"),
    ("If-None-Match", '"' + "a" * 2000), ("If-Modified-Since", "never"), ("Range",
    "bytes=9-1,-,0-"),
    ("Accept", "*/*;q=NaN"), ("Origin", "null"), ("Content-Type", "text/xml; charset=utf-7"),
    ("Accept-Language", "x" * 500), ("Transfer-Encoding", "gzip"), ("Expect", "100-continue"),
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """A request: method, path, pairs of the query, headers, body."""

    method: str
    path: str
    pairs: Pairs
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def attack(random: Random) -> Attack:
    """A request by chance."""
    made = random.choices(_KINDS, _WEIGHTS)[0](random)
    if random.random() < 0.1:
        name, value = random.choice(HEADERS)
        made = Attack(made.method, made.path, made.pairs, {name: value, **made.headers}, made.body)
    return made


def _spoiled(random: Random, pairs: Pairs, names: Sequence[str], most: int) -> Pairs:
    """Some parameters replaced, some given twice, some in another case."""
    for _ in range(min(most, 1 + int(random.expovariate(0.9)))):
        one = (random.choice(names), _value(random))
        same = [at for at, (name, _) in enumerate(pairs) if name.lower() == one[0].lower()]
        if same and random.random() < 0.8:
            pairs[same[0]] = one
        else:
            pairs.append(one)
    if random.random() < 0.1 and pairs:
        pairs.append(random.choice(pairs))
    if random.random() < 0.1:
        pairs = [(name.swapcase(), value) for name, value in pairs]
    random.shuffle(pairs)
    return pairs


def _value(random: Random) -> str:
    """A nasty word, two of them, or letters by chance."""
    match random.randrange(8):
        case 0:
            return "".join(chr(random.choice((random.randrange(128), random.randrange(0x3000))))
                           for _ in range(random.randrange(20)))  # fmt: skip
        case 1:
            return random.choice(NASTY) + random.choice((",", "/", ":", "(")) + random.choice(NASTY)
        case 2:
            return random.choice(SIZES)
        case _:
            return random.choice(NASTY)


def _wms(random: Random) -> Attack:
    layer = random.choice(LAYERS)
    pairs = [
        ("SERVICE", "WMS"), ("VERSION", random.choice(("1.3.0", "1.1.1"))),
        ("REQUEST", random.choice(WMS)), ("LAYERS", layer), ("QUERY_LAYERS", layer),
        ("LAYER", layer), ("STYLES", ""), ("CRS", "EPSG:4326"), ("SRS", "EPSG:4326"),
        ("BBOX", "-90,-180,90,180"), ("WIDTH", "12"), ("HEIGHT", "8"), ("FORMAT", "image/png"),
        ("INFO_FORMAT", "application/json"), ("I", "3"), ("J", "2"), ("X", "3"), ("Y", "2"),
    ]  # fmt: skip
    return Attack("GET", "/wms", _spoiled(random, pairs, WMS_NAMES, 4))


def _wcs(random: Random) -> Attack:
    layer = random.choice(LAYERS).partition(".")[0]
    version = random.choice(("2.0.1", "2.0.1", "1.0.0", "1.1.0", "1.1.2", ""))
    pairs = [("SERVICE", "WCS"), ("REQUEST", random.choice(WCS)), ("COVERAGEID", layer)]
    pairs += [("VERSION", version)] if version else []
    if version[:3] == "1.0":
        pairs += [("COVERAGE", layer), ("CRS", "EPSG:4326"), ("BBOX", "-20,-20,20,20")]
        pairs += [("WIDTH", "9"), ("HEIGHT", "9"), ("FORMAT", "GeoTIFF")]
    elif version[:3] == "1.1":
        pairs += [("IDENTIFIER", layer), ("FORMAT", "image/tiff")]
        pairs += [("BoundingBox", "-20,-20,20,20,urn:ogc:def:crs:EPSG::4326")]
    return Attack("GET", "/wcs", _spoiled(random, pairs, WCS_NAMES, 5))


def _posted(random: Random) -> Attack:
    body = wcs_document(random, _value)
    pairs = [("SERVICE", "WCS"), ("REQUEST", random.choice(WCS))] if random.random() < 0.3 else []
    kind = random.choice(("text/xml", "application/xml", "application/soap+xml", "", "text/plain"))
    return Attack("POST", "/wcs", pairs, {"Content-Type": kind} if kind else {}, body)


def _styled(random: Random) -> Attack:
    made = _wms(random)
    document = sld_document(random, _value).decode("utf-8", "replace")
    if random.random() < 0.5:
        return Attack("GET", "/wms", [*made.pairs, ("SLD_BODY", document)])
    return Attack("POST", "/wms", made.pairs, {"Content-Type": "text/xml"}, document.encode())


def _path(random: Random) -> Attack:
    start = random.choice(
        ("/tiles/globe.v/default/WebMercatorQuad/0/0/0.png", "/wmts", "/ogcapi/collections/globe",
        "/",
         "/ogcapi/collections/globe/coverage", "/ogcapi/collections/deep/position",
         "/times/globe.json",
         "/zarr/globe/zarr.json", "/tiles/globe.v/exact/WorldCRS84Quad/1/0/1.png",
         "/viewer/cubes.json")
    )  # fmt: skip
    parts = start.strip("/").split("/")
    for _ in range(random.randint(0, 3)):
        at = random.randrange(len(parts) + 1)
        new = random.choice(TILE_PARTS) if random.random() < 0.7 else _value(random)
        parts[at : at + random.randint(0, 1)] = [new]
    method = random.choice(("GET", "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE", "PUT"))
    return Attack(method, "/" + "/".join(parts), _spoiled(random, [], PATH_NAMES, 4))


def _wmts(random: Random) -> Attack:
    pairs = [
        ("SERVICE", "WMTS"), ("VERSION", "1.0.0"), ("LAYER", random.choice(LAYERS)), ("STYLE", ""),
        ("REQUEST", random.choice(("GetTile", "GetTile", "GetFeatureInfo", "GetCapabilities"))),
        ("TILEMATRIXSET", "WebMercatorQuad"), ("TILEMATRIX", "1"), ("TILEROW", "0"),
        ("TILECOL", "1"), ("FORMAT", "image/png"), ("INFOFORMAT", "text/plain"), ("I", "3"), ("J",
        "4"),
    ]  # fmt: skip
    names = [name for name, _ in pairs] + [
        "time",
        "elevation",
        "COLORSCALERANGE",
        "EXPR",
        "SLD_BODY",
    ]
    return Attack("GET", "/wmts", _spoiled(random, pairs, names, 4))


_KINDS: tuple[Callable[[Random], Attack], ...] = (_wms, _wcs, _posted, _styled, _path, _wmts)
_WEIGHTS = (36, 24, 14, 8, 10, 8)
