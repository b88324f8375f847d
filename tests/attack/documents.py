"""Documents that are meant badly: bombs, entities, depth, length, and elements by chance."""

from collections.abc import Callable
from random import Random

type Value = Callable[[Random], str]

_NAMESPACES = (
    "http://www.opengis.net/wcs/2.0",
    "http://www.opengis.net/wcs/1.1.1",
    "http://www.opengis.net/wcs",
    "",
)
_ELEMENTS = (
    "CoverageId", "sourceCoverage", "Identifier", "DimensionTrim", "Dimension", "TrimLow",
    "TrimHigh",
    "DimensionSlice", "SlicePoint", "Extension", "Scaling", "ScaleByFactor", "scaleFactor",
    "RangeSubset", "RangeItem", "RangeComponent", "domainSubset", "spatialSubset", "Envelope",
    "pos",
    "Grid", "limits", "GridEnvelope", "low", "high", "temporalSubset", "timePosition", "output",
    "format", "crs", "DomainSubset", "BoundingBox", "LowerCorner", "UpperCorner", "Output",
    "GridCRS",
)  # fmt: skip
_SYMBOLS = (
    "Opacity", "ChannelSelection", "RedChannel", "GrayChannel", "SourceChannelName", "ColorMap",
    "ContrastEnhancement", "Normalize", "GammaValue", "Histogram", "VendorOption", "Categorize",
    "Value", "Threshold", "Interpolate", "InterpolationPoint", "Data", "Rule", "Literal",
    "ShadedRelief", "NamedStyle", "UserStyle", "Name",
)  # fmt: skip
LAUGHS = (
    "<!DOCTYPE a [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]>{start}&a9;{end}"
)
QUADRATIC = "<!DOCTYPE a [<!ENTITY a '" + "x" * 50_000 + "'>]>{start}" + "&a;" * 5_000 + "{end}"
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{start}&x;{end}'
REMOTE = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/evil.dtd">{start}{end}'
PARAMETER = '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]>{start}{end}'
INCLUDE = (
    '{start}<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" '
    'href="file:///etc/passwd"/>{end}'
)
DEEP = "{start}" + "<a>" * 20_000 + "</a>" * 20_000 + "{end}"
SLICE = "<DimensionSlice><Dimension>Lat</Dimension><SlicePoint>{}</SlicePoint></DimensionSlice>"
BOMBS = (LAUGHS, QUADRATIC, OUTSIDE, REMOTE, PARAMETER, INCLUDE, DEEP)


def wcs_document(random: Random, value: Value) -> bytes:
    """A request of some version."""
    name = random.choice(
        ("GetCapabilities", "DescribeCoverage", "GetCoverage", "Envelope", "Other")
    )
    version = random.choice(("1.0.0", "1.1.1", "2.0.1", "", "9"))
    start = (
        f'<{name} xmlns="{random.choice(_NAMESPACES)}" service="WCS" version="{version}">'
        "<CoverageId>globe</CoverageId>"
    )
    match random.randrange(12):
        case 0:
            text = random.choice(BOMBS).replace("{start}", start).replace("{end}", f"</{name}>")
        case 1:
            text = start + "".join(SLICE.format(n % 90) for n in range(9_000)) + f"</{name}>"
        case 2:
            text = start + value(random)
        case _:
            inside = "".join(
                _tree(random, value, _ELEMENTS, 4) for _ in range(random.randint(0, 5))
            )
            text = f"{start}{inside}</{name}>"
    return text.encode(random.choice(("utf-8", "utf-8", "utf-8", "utf-16")), "replace")


def sld_document(random: Random, value: Value) -> bytes:
    """A style."""
    start = "<StyledLayerDescriptor><NamedLayer><Name>globe.v</Name><UserStyle><RasterSymbolizer>"
    end = "</RasterSymbolizer></UserStyle></NamedLayer></StyledLayerDescriptor>"
    match random.randrange(10):
        case 0:
            bomb = random.choice((LAUGHS, OUTSIDE, REMOTE, PARAMETER, INCLUDE))
            return bomb.replace("{start}", start).replace("{end}", end).encode()
        case 1:
            kind = random.choice(("ramp", "intervals", "values"))
            entries = "".join(_entry(random, value) for _ in range(random.choice((0, 1, 3, 1500))))
            inside = f'<ColorMap type="{kind}">{entries}</ColorMap>'
        case _:
            inside = "".join(_tree(random, value, _SYMBOLS, 4) for _ in range(random.randint(0, 4)))
    return f"{start}{inside}{end}".encode("utf-8", "replace")


def _entry(random: Random, value: Value) -> str:
    quantity = random.choice(("0", "1", "inf", "NaN", "-1e308", "1e308", _escaped(value(random))))
    color = random.choice(("#000000", "#ff00ff", "red", "#ggg", "#12345678"))
    return f'<ColorMapEntry color="{color}" quantity="{quantity}" opacity="0.5"/>'


def _tree(random: Random, value: Value, names: tuple[str, ...], depth: int) -> str:
    name = random.choice(names)
    if depth == 0 or random.random() < 0.4:
        text = random.choice(("globe", "Lat", "30", "1 2", "v", "1", "0", _escaped(value(random))))
        return f"<{name}>{text}</{name}>"
    inside = "".join(_tree(random, value, names, depth - 1) for _ in range(random.randint(0, 3)))
    return f'<{name} name="{_escaped(value(random))}" dimension="Lat">{inside}</{name}>'


def _escaped(text: str) -> str:
    """Text that stands in a document, most of the time."""
    kept = "".join(one for one in text if one.isprintable())
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
