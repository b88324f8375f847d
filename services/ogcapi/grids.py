"""``coverage/domainset`` and ``coverage/rangetype``: the CIS 1.1 JSON that GDAL's driver reads."""

import json
from typing import Any

import numpy as np

from datacube.engine.context import Context
from datacube.model.axis import Axis, RegularAxis, axis_values
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from services.ows.caching import DOCUMENT, conditional, etag
from services.ows.transport import Request, Response


def domain_set(context: Context, request: Request, name: str) -> Response:
    """The domain of a coverage as a CIS general grid."""
    cube = context.catalog.cube(name)
    return _answer(request, cube.snapshot, domain_document(cube.description.domain))


def range_type(context: Context, request: Request, name: str) -> Response:
    """The fields of a coverage as a CIS data record."""
    cube = context.catalog.cube(name)
    fields = [_quantity(field) for field in cube.description.range_type.fields]
    return _answer(request, cube.snapshot, {"type": "DataRecord", "field": fields})


def domain_document(domain: DomainSet) -> dict[str, Any]:
    """CIS 1.1 DomainSet in JSON; horizontal axes in the order of the CRS, bounds are cell edges."""
    grid, crs = domain.grid, domain.grid.crs
    box = grid.bbox
    height, width = grid.shape
    steps = (grid.dx, grid.dy) if isinstance(grid, RectifiedGrid) else (None, None)
    x_label, y_label = crs.labels
    x = _regular(x_label, box.left, box.right, steps[0], crs.uom)
    y = _regular(y_label, box.bottom, box.top, steps[1], crs.uom)
    others = [_axis(axis) for axis in domain.axes]
    return {
        "type": "DomainSet",
        "generalGrid": {
            "type": "GeneralGridCoverage",
            "srsName": crs.uri,
            "axisLabels": [*crs.axis_labels, *(axis.name for axis in domain.axes)],
            "axis": [*((y, x) if crs.northing_first else (x, y)), *others],
            "gridLimits": {
                "type": "GridLimits",
                "srsName": "http://www.opengis.net/def/crs/OGC/0/Index2D",
                "axisLabels": ["i", "j"],
                "axis": [
                    {
                        "type": "IndexAxis",
                        "axisLabel": "i",
                        "lowerBound": 0,
                        "upperBound": width - 1,
                    },
                    {
                        "type": "IndexAxis",
                        "axisLabel": "j",
                        "lowerBound": 0,
                        "upperBound": height - 1,
                    },
                ],
            },
        },
    }


def _regular(label: str, low: float, high: float, step: float | None, uom: str) -> dict[str, Any]:
    axis = {"type": "RegularAxis", "axisLabel": label, "lowerBound": low, "upperBound": high}
    resolution = {} if step is None else {"resolution": abs(step)}
    return {**axis, "uomLabel": uom, **resolution}


def _axis(axis: Axis) -> dict[str, Any]:
    match axis:
        case RegularAxis():
            first, last = sorted((axis.origin, axis.origin + (axis.size - 1) * axis.step))
            return _regular(axis.name, first, last, axis.step, axis.uom)
        case _:
            values = [one if isinstance(one, str) else float(one) for one in axis_values(axis)]
            return {"type": "IrregularAxis", "axisLabel": axis.name, "coordinate": values}


def _quantity(field: Field) -> dict[str, Any]:
    kind = np.dtype(field.dtype)
    letter = {"u": "unsignedInt", "i": "signedInt", "f": "float"}[kind.kind]
    return {
        "type": "Quantity",
        "name": field.name,
        "description": field.title or field.name,
        "uom": {"type": "UnitReference", "code": field.uom},
        "encodingInfo": {
            "dataType": f"http://www.opengis.net/def/dataType/OGC/0/{letter}{kind.itemsize * 8}"
        },
    }


def _answer(request: Request, snapshot: str, document: dict[str, Any]) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode()
    response = Response(200, "application/json", body, (DOCUMENT,))
    return conditional(request, response, etag([snapshot], body))
