"""Vectors among the fields of a cube: pairs of components, and the styles that draw them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from datacube.model.fields import Field
from datacube.render.arrows import speed_field, speed_ramp
from datacube.render.drawn import Along, Arrows
from datacube.render.presets import preset_of
from datacube.render.ramp import ColorRamp
from datacube.render.units import unit_of

VECTORS = ("wind", "wind-barbs", "current", "ice-drift", "vector")
"""Names of the styles that cubes with such a pair have."""

# standard name of the first component, that of the second, which axes they follow
_NAMES: tuple[tuple[str, str, Along], ...] = (
    (r"(.*)eastward(.*)", r"\1northward\2", "north"),
    (r"(.*_)?x_(wind.*|velocity.*|stress.*)", r"\1y_\2", "grid"),
)
# the same for names, of fields that have no standard name
_SHORT = (
    (r"u(_?\d*m?)", r"v\1"),
    (r"(\d+)u", r"\1v"),
    (r"uo", "vo"),
    (r"u(as)", r"v\1"),
    (r"ua", "va"),
    (r"water_u", "water_v"),
    (r"u_component_(.*)", r"v_component_\1"),
)


@dataclass(frozen=True, slots=True)
class Vector:
    """Two components of a vector, and the axes that they follow."""

    u: Field
    v: Field
    along: Along


def vectors_of(fields: Sequence[Field]) -> tuple[Vector, ...]:
    """The vectors among fields, by CF standard names, else by usual names of speeds.

    Examples
    --------
    >>> u = Field("u10", "float32", uom="m s-1", standard_name="eastward_wind")
    >>> v = Field("v10", "float32", uom="m s-1", standard_name="northward_wind")
    >>> [(one.u.name, one.v.name, one.along) for one in vectors_of((u, v))]
    [('u10', 'v10', 'north')]
    """
    return tuple(
        Vector(one, other, along)
        for one in fields
        for along, other in [_partner(one, fields)]
        if other is not None
    )


def _partner(one: Field, fields: Sequence[Field]) -> tuple[Along, Field | None]:
    """The second component of a field, None where it is no first one."""
    for pattern, other, along in _NAMES:
        if found := re.fullmatch(pattern, one.standard_name):
            wanted = found.expand(other)
            alike = [field for field in fields if field.standard_name == wanted]
            return along, _closest(one, alike)
    unit = unit_of(one.uom)
    if one.standard_name or unit is None or unit.quantity != "speed":
        return "north", None
    by_name = {field.name.lower(): field for field in fields if field.uom == one.uom}
    for pattern, other in _SHORT:
        if found := re.fullmatch(pattern, one.name.lower()):
            return "north", by_name.get(found.expand(other))
    return "north", None


def _closest(one: Field, others: Sequence[Field]) -> Field | None:
    """Of several candidates the one whose name differs least, at the same length."""
    if not others:
        return None
    return min(
        others,
        key=lambda other: (
            abs(len(other.name) - len(one.name)),
            sum(a != b for a, b in zip(one.name, other.name, strict=False)),
        ),
    )


def vector_styles(fields: Sequence[Field]) -> tuple[Arrows, ...]:
    """Arrows over the speed for each vector, and barbs for winds; each name once.

    Examples
    --------
    >>> u = Field("uo", "float32", uom="m s-1", standard_name="eastward_sea_water_velocity")
    >>> v = Field("vo", "float32", uom="m s-1", standard_name="northward_sea_water_velocity")
    >>> [style.name for style in vector_styles((u, v))]
    ['current']
    """
    styles: dict[str, Arrows] = {}
    for vector in vectors_of(fields):
        for style in _styles(vector):
            again = style.name in styles
            name = f"{style.name}-{vector.u.name}" if again else style.name
            title = f"{style.title} ({vector.u.name}, {vector.v.name})" if again else style.title
            styles[name] = replace(style, name=name, title=title)
    return tuple(styles.values())


def _styles(vector: Vector) -> Iterator[Arrows]:
    speed = speed_field(vector.u, vector.v)
    preset = preset_of(speed)
    kind = {
        "wind_speed": "wind",
        "sea_water_speed": "current",
        "sea_ice_speed": "ice-drift",
    }.get(speed.standard_name, "vector")
    u, v = vector.u.name, vector.v.name
    ramp = ColorRamp(kind, "", "speed", preset.colormap if preset is not None else "viridis")
    title = speed.title.removesuffix(" speed")
    arrows = Arrows(kind, f"{title}: speed and direction", u, v, along=vector.along, ramp=ramp)
    yield replace(arrows, ramp=speed_ramp(arrows, speed))
    if kind == "wind":
        yield Arrows("wind-barbs", f"{title} barbs", u, v, "barbs", vector.along, 40.0)
