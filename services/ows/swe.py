"""Fields in SWE Common 2.0: a DataRecord with a Quantity for each field (``gmlcov:rangeType``)."""

import numpy as np

from datacube.model.fields import Field, RangeType
from services.ows.extents import plain_number
from services.ows.xml import Element, Maker

SWE = "http://www.opengis.net/swe/2.0"
GMLCOV = "http://www.opengis.net/gmlcov/1.0"
_SWE = Maker(SWE, {"swe": SWE, "gmlcov": GMLCOV})
_GMLCOV = Maker(GMLCOV, {"swe": SWE, "gmlcov": GMLCOV})
_MISSING = "http://www.opengis.net/def/nil/OGC/0/missing"
_STANDARD_NAMES = "http://vocab.nerc.ac.uk/standard_name/"


def range_type(fields: RangeType) -> Element:
    """``gmlcov:rangeType`` of the stored (packed) numbers."""
    return _GMLCOV("rangeType", _SWE("DataRecord", *(_field(one) for one in fields.fields)))


def uom_code(uom: str) -> str:
    """A unit without the characters that SWE forbids in a code; ``1`` where there is none.

    Examples
    --------
    >>> uom_code("kg m-2 s-1"), uom_code("")
    ('kg.m-2.s-1', '1')
    """
    return ".".join(uom.replace(":", " ").split()) or "1"


def describe_packing(field: Field) -> str:
    """A field's meaning in words, with the rule that unpacks its numbers."""
    title = field.title or field.standard_name or field.name
    if not field.packed:
        return title
    scale, offset = plain_number(field.scale), plain_number(field.offset)
    unit = f" {field.uom}" if field.uom else ""
    return f"{title}; value = stored * {scale} + {offset}{unit}"


def _field(field: Field) -> Element:
    definition = f"{_STANDARD_NAMES}{field.standard_name}/" if field.standard_name else None
    quantity = _SWE(
        "Quantity",
        _SWE("label", field.title or field.name),
        _SWE("description", describe_packing(field)),
        _nil_values(field),
        _SWE("uom", code=uom_code(field.uom)),
        _constraint(field),
        definition=definition,
    )
    return _SWE("field", quantity, name=field.name)


def _nil_values(field: Field) -> Element | None:
    kind = np.dtype(field.dtype).kind
    if kind != "f" and field.nil is None:
        return None
    nil = "NaN" if kind == "f" or field.nil is None else plain_number(field.nil)
    return _SWE("nilValues", _SWE("NilValues", _SWE("nilValue", nil, reason=_MISSING)))


def _constraint(field: Field) -> Element | None:
    """The classes, or what the stored type can hold."""
    if field.categories:
        values = [_SWE("value", str(one.value)) for one in field.categories]
    elif np.dtype(field.dtype).kind in "iu":
        limits = np.iinfo(field.dtype)
        values = [_SWE("interval", f"{limits.min} {limits.max}")]
    else:
        return None
    return _SWE("constraint", _SWE("AllowedValues", *values))
