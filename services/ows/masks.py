"""``MASK``: which cells are kept; a parameter of this server in maps, tiles and values.

``MASK=SCL:vegetation,water`` keeps classes, by label or number; ``MASK=!SCL:8,9,10`` drops them;
``MASK=!QA60:bit10,bit11`` drops cells with one of these bits; anything else is an expression:
``MASK=cloud_fraction<0.2``.
"""

import re

from datacube.algebra.show import shown_name
from datacube.algebra.text import parse
from datacube.errors import InvalidParameter
from datacube.model.fields import Category, Field, RangeType
from datacube.render.defaults import classes_of
from services.ows.declared import Parameter

PARAMETER = Parameter(
    "MASK",
    "which cells have data: SCL:vegetation,water keeps classes, !SCL:8,9 and !QA60:bit10 drop "
    "them, cloud_fraction<0.2 is an expression",
)
_SHORT = re.compile(r'^(?P<drop>!?)\s*"?(?P<field>[A-Za-z_][\w-]*)"?\s*:(?P<parts>[^:?]+)$')
_DIGITS = 20  # of the largest whole number that a field holds
_BIT = re.compile(r"^bit\s*(\d{1,2})$", re.IGNORECASE)


def mask_expression(fields: RangeType, text: str) -> str:
    """The expression that a mask means for the fields of a cube.

    Raises
    ------
    FieldNotFound
        The cube has no such field.
    InvalidParameter
        The field has no such class.
    InvalidExpression
        The text is no expression.
    """
    found = _SHORT.match(text.strip())
    if found is None:
        parse(text, subject="MASK")
        return text
    field = fields.field(found["field"])
    name, classes = shown_name(field.name), classes_of(field)
    tests, values = [], []
    for part in (one.strip() for one in found["parts"].split(",")):
        if bit := _BIT.match(part):
            tests.append(f"bit({name}, {bit[1]})")
        else:
            values.append(str(_value(field, classes, part)))
    if values:
        tests.append(f"isin({name}, {', '.join(values)})")
    either = " or ".join(tests)
    return f"not ({either})" if found["drop"] else either


def _value(field: Field, classes: tuple[Category, ...], text: str) -> int:
    """Value of a class, by its number or its label."""
    if text.isdecimal() and len(text) <= _DIGITS:
        return int(text)
    wanted = _plain(text)
    for one in classes:
        if _plain(one.label) == wanted:
            return one.value
    labels = ", ".join(f"{one.value} ({one.label})" for one in classes)
    raise InvalidParameter(
        f"the field {field.name} has no class '{text[:50]}'; "
        + (f"its classes are {labels}" if classes else "it has none: give numbers, or bitN"),
        subject="MASK",
    )


def _plain(label: str) -> str:
    return re.sub(r"[\s_-]+", " ", label.strip().lower())
