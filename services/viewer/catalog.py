"""What the viewer's page reads: ``cubes.json``, and ``times.json`` of each cube."""

from typing import Any

from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.model.axis import IndexAxis, TimeAxis, axis_values
from services.ows.dimensions import one_default
from services.ows.urls import with_query


def cubes_document(context: Context) -> dict[str, Any]:
    """Every cube with its fields, layers, styles, times and elevations."""
    settings = context.settings
    return {
        "title": settings.title,
        "attribution": settings.attribution,
        "cubes": [_cube(cube) for cube in context.catalog.pictured()],
    }


def times_document(cube: Cube) -> dict[str, Any]:
    """Every time of a cube's maps, and the one that they show by default."""
    time = cube.shown.description.domain.time
    if time is None:
        return {"times": [], "default": None}
    return {"times": list(time.iso), "default": time.iso[-1]}


def _cube(cube: Cube) -> dict[str, Any]:
    domain = cube.shown.description.domain
    return {
        "id": cube.id,
        "token": cube.shown.token,
        "title": cube.title,
        "abstract": cube.abstract,
        "attribution": cube.attribution,
        "bbox": list(domain.bbox.geographic().edges),
        "fields": [
            {
                "name": field.name,
                "title": field.title or field.name,
                "uom": field.uom,
                "layer": f"{cube.id}.{field.name}",
            }
            for field in cube.description.range_type.fields
        ],
        "layer": cube.id,
        "layers": [_layer(layer) for layer in cube.layers],
        "times": _times(domain.time),
        "elevation": _elevation(cube),
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "title": layer.title,
        "styles": [
            {
                "name": style.name,
                "title": style.title,
                "legend": legend_url("../wms", layer.name, style.name),
            }
            for style in layer.styles
        ],
        "default_style": layer.styles[0].name,
    }


def legend_url(wms: str, layer: str, style: str) -> str:
    """URL of a legend from the WMS."""
    pairs = (
        ("SERVICE", "WMS"),
        ("VERSION", "1.3.0"),
        ("REQUEST", "GetLegendGraphic"),
        ("SLD_VERSION", "1.1.0"),
        ("FORMAT", "image/png"),
        ("LAYER", layer),
        ("STYLE", style),
    )
    return with_query(wms, pairs)


def _times(time: TimeAxis | None) -> dict[str, Any] | None:
    if time is None:
        return None
    first, last = time.iso[0], time.iso[-1]
    return {"count": time.size, "first": first, "last": last, "default": last}


def _elevation(cube: Cube) -> dict[str, Any] | None:
    axis = cube.description.domain.vertical
    if axis is None:
        return None
    values = [one if isinstance(one, str) else float(one) for one in axis_values(axis)]
    uom = axis.uom if not isinstance(axis, TimeAxis) else ""
    labelled = isinstance(axis, IndexAxis) and bool(axis.labels)
    shown = one_default(cube, axis)
    return {
        "name": "elevation",
        "title": axis.title or axis.name,
        "uom": "" if labelled else uom,
        "values": values,
        "default": shown if isinstance(shown, str) else float(shown),
    }
