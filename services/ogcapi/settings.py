"""The catalog as pygeoapi's configuration: server, metadata, and a resource for each cube."""

from importlib.resources import files
from typing import Any

import numpy as np
from pygeoapi.util import TEMPLATESDIR

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.model.axis import Axis, IndexAxis, TimeAxis, axis_values
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from services.ows.urls import segment

COVERAGE_REL = "http://www.opengis.net/def/rel/ogc/1.0/coverage"
MAP_REL = "http://www.opengis.net/def/rel/ogc/1.0/map"
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EDR_QUERIES = ("position", "trajectory", "area", "cube")
_LISTED = 200  # coordinates of an axis that a collection spells out
_ENCODINGS = (
    ("application/prs.coverage+json", "covjson", "CoverageJSON"),
    ("image/tiff; application=geotiff", "geotiff", "GeoTIFF"),
    ("application/netcdf", "netcdf", "CF NetCDF"),
)


def pygeoapi_config(context: Context, base_url: str) -> dict[str, Any]:
    """The configuration that pygeoapi's functions work from; it names no file but templates.

    Parameters
    ----------
    base_url : str
        Public URL of the API's landing page, without a slash at its end.
    """
    settings = context.settings
    return {
        "server": {
            "url": base_url,
            "encoding": "utf-8",
            "languages": ["en-US"],
            "locale_dir": str(TEMPLATESDIR.parent / "locale"),
            "templates": {"path": str(files("services.ogcapi").joinpath("templates"))},
            "limits": {"default_items": 20, "max_items": 50},
            "manager": {"name": "Dummy", "connection": "", "output_dir": ""},
        },
        "logging": {"level": "ERROR"},
        "metadata": _metadata(context, base_url.rpartition("/")[0] + "/"),
        "resources": {
            cube.id: _resource(cube, settings.keywords, base_url)
            for cube in context.catalog.cubes()
        },
    }


def _metadata(context: Context, home: str) -> dict[str, Any]:
    settings = context.settings
    contact = settings.contact
    return {
        "identification": {
            "title": settings.title,
            "description": settings.abstract or settings.title,
            "keywords": list(settings.keywords),
            "keywords_type": "theme",
            "terms_of_service": settings.access_constraints or "none",
            "url": home,
        },
        "license": {"name": settings.attribution or "see each collection", "url": home},
        "provider": {"name": contact.organization or settings.title, "url": home},
        "contact": {
            "name": contact.person or contact.organization or settings.title,
            "url": home,
            **({"email": contact.email} if contact.email else {}),
        },
    }


def _resource(cube: Cube, keywords: tuple[str, ...], base_url: str) -> dict[str, Any]:
    domain = cube.description.domain
    box = domain.bbox.geographic()
    extents: dict[str, Any] = {
        "spatial": {"bbox": [list(box.edges)], "crs": _CRS84},
        **{axis.name: _extent(axis) for axis in domain.axes if not isinstance(axis, TimeAxis)},
    }
    properties: dict[str, Any] = _grid_properties(cube)
    if (time := domain.time) is not None:
        first, last = (listable(time, index) for index in (0, -1))
        extents["temporal"] = {"begin": first, "end": last}
        properties["time_range"] = [first, last]
        if time.period is not None:
            properties["restime"] = str(time.period)
    return {
        "type": "collection",
        "title": cube.title,
        "description": cube.abstract or cube.title,
        "keywords": list(keywords),
        "extents": extents,
        "links": _links(cube, base_url),
        "providers": [
            {
                "type": "coverage",
                "name": "services.ogcapi.provider.CubeProvider",
                "data": cube.id,
                "cube_fields": {
                    f.name: field_schema(f) for f in cube.description.range_type.fields
                },
                "cube_properties": properties,
                "cube_crs": _crs_names(domain.grid.crs),
                "cube_queries": _queries(cube, base_url),
                "cube_axes": [*domain.grid.crs.labels, *(axis.name for axis in domain.axes)],
            }
        ],
    }


def listable(axis: TimeAxis, index: int) -> str:
    """ISO 8601 time of the axis; the 28th for a day that only its own calendar has."""
    text = axis.iso[index]
    try:
        np.datetime64(text.removesuffix("Z"))
    except ValueError:
        return f"{text[: -len('30T00:00:00Z')]}28{text[text.index('T') :]}"
    return text


def field_schema(field: Field) -> dict[str, Any]:
    """JSON schema of a field's physical values, with unit and role."""
    schema: dict[str, Any] = {
        "title": field.title or field.name,
        "type": "integer" if np.dtype(field.dtype).kind in "iu" and not field.packed else "number",
    }
    if field.uom:
        schema["x-ogc-unit"] = field.uom
    if field.standard_name:
        schema["x-ogc-definition"] = (
            f"http://vocab.nerc.ac.uk/standard_name/{segment(field.standard_name)}/"
        )
    if field.categories:
        schema["oneOf"] = [{"const": one.value, "title": one.label} for one in field.categories]
    return schema


def _extent(axis: Axis) -> dict[str, Any]:
    values = list(axis_values(axis))
    plain = [value if isinstance(value, str) else float(value) for value in values]
    extent: dict[str, Any] = {"url": "", "range": [plain[0], plain[-1]]}
    if not isinstance(axis, TimeAxis | IndexAxis) and axis.uom:
        extent["units"] = axis.uom
    if len(plain) <= _LISTED:
        extent["values"] = plain
    return extent


def _grid_properties(cube: Cube) -> dict[str, Any]:
    grid = cube.description.domain.grid
    height, width = grid.shape
    resolution = (abs(grid.dx), abs(grid.dy)) if isinstance(grid, RectifiedGrid) else (None, None)
    return {
        "width": width,
        "height": height,
        "resx": resolution[0],
        "resy": resolution[1],
    }


def _crs_names(crs: Crs) -> dict[str, Any]:
    native = crs.uri if crs.has_code else crs.wkt
    return {"crs": list(dict.fromkeys((_CRS84, native))), "storageCrs": native}


def _queries(cube: Cube, base_url: str) -> dict[str, Any]:
    """The data queries of EDR, as a collection lists them."""
    here = f"{base_url}/collections/{segment(cube.id)}"
    return {
        kind: {
            "link": {
                "href": f"{here}/{kind}",
                "rel": "data",
                "variables": {
                    "query_type": kind,
                    "output_formats": ["CoverageJSON", "CSV"],
                    "default_output_format": "CoverageJSON",
                },
            }
        }
        for kind in EDR_QUERIES
    }


def _links(cube: Cube, base_url: str) -> list[dict[str, str]]:
    here = f"{base_url}/collections/{segment(cube.id)}"
    return [
        *(
            {
                "type": media_type,
                "rel": COVERAGE_REL,
                "title": f"{cube.title} as {name}",
                "href": f"{here}/coverage?f={f}",
            }
            for media_type, f, name in _ENCODINGS
        ),
        *(
            {
                "type": "application/json",
                "rel": f"{COVERAGE_REL}-{part}",
                "title": f"{part} of {cube.title}",
                "href": f"{here}/coverage/{part}",
            }
            for part in ("domainset", "rangetype")
        ),
        {
            "type": "image/png",
            "rel": MAP_REL,
            "title": f"{cube.title} as a map",
            "href": f"{here}/map?f=png",
        },
    ]
