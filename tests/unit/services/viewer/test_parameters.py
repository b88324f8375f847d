"""The table of parameters names exactly what the services read beyond the standards."""

import ast
from collections.abc import Iterator
from pathlib import Path

import services
from services.ows.aggregate import REDUCTION
from services.ows.perlayer import LISTS
from services.ows.restyling import PARAMETERS as STYLING
from services.viewer.parameters import PARAMETERS

ROOT = Path(services.__file__).parent
METHODS = frozenset({"one", "optional", "many", "given", "values"})
WMS = (
    "service request version format exceptions bbox bgcolor crs srs width height layer layers "
    "style styles time elevation transparent info_format query_layers i j x y sld sld_body wmtver "
    "updatesequence language"
)
WMTS = "infoformat tilecol tilematrix tilematrixset tilerow acceptversions sections"
WCS = (
    "boundingbox coverage coverageid gridbasecrs gridoffsets gridorigin identifier identifiers "
    "mediatype outputcrs rangesubset response_crs resx resy scalefactor section store subset "
    "subsettingcrs timesequence containment count eoid startindex plain"
)
APIS = frozenset({"ogcapi", "times", "tiles"})
"""Doors whose parameters their own descriptions list (OpenAPI, TileJSON)."""
STANDARD = frozenset(f"{WMS} {WMTS} {WCS}".split())


def _read() -> Iterator[str]:
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).parts[0] in APIS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr=method), args=[ast.Constant(value=str(name)), *_]
                ) if method in METHODS:
                    yield name.lower()


def test_everything_that_is_read_is_standard_or_listed():
    listed = {one.name.lower() for one in PARAMETERS}
    read = {name for name in _read() if name.isidentifier()}
    assert read - STANDARD - listed == set()
    assert (STYLING | REDUCTION | LISTS.keys()) - listed == set()


def test_everything_that_is_listed_is_read():
    known = {*_read(), *STYLING, *REDUCTION, "map_resolution", "cube", "compression"}
    assert {one.name.lower() for one in PARAMETERS} - known == set()


def test_each_is_shown_by_itself():
    names = [one.name for one in PARAMETERS]
    assert len(set(names)) == len(names)
    assert all(one.name in one.example for one in PARAMETERS)
