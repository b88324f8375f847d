"""The OpenAPI document: pygeoapi's, with our own parameters and routes and without absent ones."""

from collections.abc import Iterator
from typing import Any

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from services.ogcapi.jobpaths import job_paths
from services.ogcapi.settings import EDR_QUERIES
from services.ows.compression import COMPRESSIONS
from services.ows.dimensions import forecast_names, parameter_names
from services.ows.selection import RULES
from services.ows.urls import segment

_ABSENT = ("/processes", "/jobs", "/TileMatrixSets", "/stac", "/admin")
_ABSENT_TAGS = frozenset(
    {"stac", "processes", "jobs", "PubSub", "tiles", "maps", "edr", "records", "features"}
)
_PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}


def completed(document: dict[str, Any], context: Context) -> dict[str, Any]:
    """The document of exactly what is served.

    Parameters
    ----------
    document : dict
        As pygeoapi made it; it is changed.
    """
    paths = {
        path: entry for path, entry in document["paths"].items() if not path.startswith(_ABSENT)
    }
    for cube in context.catalog.cubes():
        here = f"/collections/{segment(cube.id)}"
        paths[f"{here}/coverage"] = {"get": _coverage(cube)}
        paths[f"{here}/map"] = {"get": _map(cube)}
        paths |= {f"{here}/{kind}": {"get": _edr(cube, kind)} for kind in EDR_QUERIES}
    if context.settings.jobs.running:
        paths |= job_paths(listed=context.settings.jobs.listed)
    document["paths"] = paths
    document["tags"] = [tag for tag in document["tags"] if tag["name"] not in _ABSENT_TAGS]
    return document


def _coverage(cube: Cube) -> dict[str, Any]:
    return {
        "summary": f"Values of {cube.title}",
        "description": (
            "A part of the coverage. Formats of flat pictures (GeoTIFF) get the newest time and "
            "the first place of every other axis that is left open."
        ),
        "tags": [cube.id],
        "operationId": f"get.{cube.id}.coverage",
        "parameters": coverage_parameters(cube),
        "responses": _responses(
            "The values", "application/prs.coverage+json", "image/tiff", "application/netcdf"
        ),
    }


def coverage_parameters(cube: Cube) -> list[dict[str, Any]]:
    """The parameters of a request for a coverage, with examples of a cube's own."""
    x, y = cube.description.domain.grid.crs.labels
    return [
        *_common(cube),
        _text("f", "Format", enum=["covjson", "geotiff", "netcdf"]),
        _text("subset", "Trims and slices", example=f"{x}(-10:10),{y}(40:50)"),
        _text("subset-crs", "CRS of the numbers in subset", example="EPSG:4326"),
        _text("properties", "Fields", example=",".join(cube.description.range_type.names[:2])),
        _text("scale-size", "Cells of both axes", example=f"{x}(100),{y}(50)"),
        _number("scale-factor", "2 gives half the cells of each axis"),
        _text("selection", "Which cells a trim takes", enum=[*RULES]),
        _text("agg", "How the places of an axis become one", example="mean,count"),
        _text("over", "Axes whose places become one; time where not given"),
        _text("period", "Of the aggregated time", example="month"),
        _text("window", "Steps, or a duration, that end at each step", example="P30D"),
        _text("by", "Expression that ranks the steps of leastcloudy"),
        _text("mask", "Which cells have data", example="!SCL:8,9"),
        _text("compression", "Of GeoTIFF and NetCDF", enum=[*COMPRESSIONS]),
        _text("scale-axes", "Factors of both axes", example=f"{x}(2),{y}(2)"),
    ]


def _map(cube: Cube) -> dict[str, Any]:
    styles = [style.name for style in cube.layers[0].styles]
    return {
        "summary": f"Picture of {cube.title}",
        "description": "A map of the collection.",
        "tags": [cube.id],
        "operationId": f"get.{cube.id}.map",
        "parameters": [
            *_common(cube.shown),
            _text("f", "Format", enum=["png", "jpeg", "webp"]),
            _text("crs", "CRS of the map", example="EPSG:3857"),
            _text("style", "Style", enum=styles),
            *_places(cube.shown),
            *(_text(name, words) for name, words in _forecast(cube)),
            _number("width", "Pixels"),
            _number("height", "Pixels"),
            _text("agg", "How the steps of datetime become one", example="mean"),
            _text("period", "The period that datetime stands for", example="month"),
            _text("window", "Steps, or a duration, that end with datetime", example="P30D"),
            _text("by", "Expression that ranks the steps of leastcloudy"),
            _text("bgcolor", "Background", example="0xFFFFFF"),
            _text("transparent", "Whether no data is transparent", enum=["true", "false"]),
        ],
        "responses": _responses("The picture", "image/png", "image/jpeg", "image/webp"),
    }


def _forecast(cube: Cube) -> Iterator[tuple[str, str]]:
    """Parameters that choose among the runs of a forecast, and what they are."""
    words = ("Start of the run; the newest that has the time", "Time since the start of the run")
    for names, text in zip(forecast_names(cube.layers[0]), words, strict=False):
        yield names[0], text


_COORDS = {
    "position": ("Places as well-known text", "MULTIPOINT((8.5 50.1),(9 50))"),
    "trajectory": ("A line as well-known text", "LINESTRING(8.5 50.1, 9 50)"),
    "area": ("A region as well-known text", "POLYGON((8 50, 9 50, 9 51, 8 50))"),
}


def edr_parameters(cube: Cube, kind: str) -> list[dict[str, Any]]:
    """The parameters of an EDR query, with examples of a cube's own."""
    domain = cube.description.domain
    parameters = [_text("f", "Format", enum=["covjson", "csv"])]
    if kind in _COORDS:
        parameters.append(_text("coords", _COORDS[kind][0], example=_COORDS[kind][1]))
    else:
        parameters.append(_text("bbox", "West, south, east, north", example="-10,40,10,50"))
    parameters.append(_text("crs", "CRS of the places; CRS84 by default", example="EPSG:4326"))
    if domain.time is not None:
        parameters.append(_text("datetime", "Instant or interval", example=domain.time.iso[-1]))
    if domain.vertical is not None:
        parameters.append(_text("z", "A level, or an interval low/high"))
    parameters.append(_text("parameter-name", "Fields"))
    if kind == "area":
        words = "One value for each time: mean, max, count, p95 …"
        parameters.append(_text("method", words, example="mean"))
    return parameters


def _edr(cube: Cube, kind: str) -> dict[str, Any]:
    return {
        "summary": f"{kind.title()} of {cube.title}",
        "tags": [cube.id],
        "operationId": f"get.{cube.id}.{kind}",
        "parameters": edr_parameters(cube, kind),
        "responses": _responses("The values", "application/prs.coverage+json", "text/csv"),
    }


def _places(cube: Cube) -> list[dict[str, Any]]:
    """Parameters of the axes other than time."""
    domain = cube.description.domain
    others = [axis for axis in domain.axes if axis is not domain.time]
    names = [parameter_names(axis, vertical=axis is domain.vertical)[0] for axis in others]
    return [
        _text(name, f"Place on the axis {axis.name}")
        for name, axis in zip(names, others, strict=True)
    ]


def _common(cube: Cube) -> list[dict[str, Any]]:
    time = cube.description.domain.time
    bbox = _text("bbox", "West, south, east, north", example="-10,40,10,50")
    crs = _text("bbox-crs", "CRS of bbox; CRS84 by default", example="EPSG:4326")
    if time is None:
        return [bbox, crs]
    return [bbox, crs, _text("datetime", "Instant or interval", example=time.iso[-1])]


def _text(
    name: str, description: str, *, example: str = "", enum: list[str] | None = None
) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if enum:
        schema["enum"] = enum
    parameter = {"name": name, "in": "query", "description": description, "schema": schema}
    return {**parameter, "example": example} if example else parameter


def _number(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "number", "exclusiveMinimum": True, "minimum": 0}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _responses(description: str, *media_types: str) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        "200": {"description": description, "content": dict.fromkeys(media_types, binary)},
        "400": {"description": "A parameter cannot be read", "content": _PROBLEM},
        "404": {"description": "No such collection", "content": _PROBLEM},
        "406": {"description": "Accept allows nothing that is offered", "content": _PROBLEM},
        "413": {"description": "The answer would be too large", "content": _PROBLEM},
    }
