"""Arrows and wind barbs: direction and strength of a vector at places of a lattice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from datacube.model.crs import CRS84
from datacube.model.fields import Field
from datacube.render.drawn import Arrows
from datacube.render.ink import Disc, Line, Mark, Shape, drawn
from datacube.render.ramp import ColorRamp, Rgba
from datacube.render.ranges import resolved
from datacube.render.scale import palette_of, ramp_indexes
from datacube.render.scene import Scene, axes_at, lattice
from datacube.render.units import unit_of

type FloatArray = NDArray[np.float64]
type Values = NDArray[np.floating]
type Valid = NDArray[np.bool_]

_KNOT = 0.514444  # metres per second
_HALO_WIDTH = 1.1
# an arrow to the right of length 1 around its middle; its head keeps its size
_HEAD, _HEAD_WIDTH, _SHAFT, _TAIL = 7.0, 2.9, 0.9, 0.45


@dataclass(frozen=True, eq=False)
class Glyphs:
    """Where glyphs are, and what they show.

    Parameters
    ----------
    at : float64, (n, 2)
        Column and row in pixels from the corner of the picture.
    heading : float64, (n, 2)
        Unit vector on the picture (right, down) towards which the vector points; 0 where calm.
    speed : float64, (n,)
        In the unit of the field.
    southern : bool, (n,)
    """

    at: FloatArray
    heading: FloatArray
    speed: FloatArray
    southern: Valid


def margin(style: Arrows) -> int:
    """Pixels around a picture from where glyphs reach into it."""
    return ceil(style.size * (1.3 if style.kind == "barbs" else 0.6)) + 3


def speed_field(u: Field, v: Field) -> Field:
    """The length of the vector as a field.

    Examples
    --------
    >>> u = Field("u10", "float32", uom="m s-1", standard_name="eastward_wind")
    >>> speed_field(u, u).standard_name, speed_field(u, u).title
    ('wind_speed', 'Wind speed')
    """
    words = f"{u.standard_name} {v.standard_name}"
    if "sea_ice" in words:
        name, title = "sea_ice_speed", "Sea ice speed"
    elif "sea_water" in words:
        name, title = "sea_water_speed", "Current speed"
    elif "wind" in words:
        name, title = "wind_speed", "Wind speed"
    else:
        name, title = "", "Speed"
    return Field("speed", "float32", uom=u.uom, title=title, standard_name=name)


def speed_ramp(style: Arrows, field: Field) -> ColorRamp:
    """The ramp of the speed, its range known; its low end is 0 unless it says another."""
    ramp = style.ramp or ColorRamp("speed", "", "speed")
    if ramp.low is None and not ramp.log:
        high = resolved(ramp, field).high
        return replace(ramp, field="speed", low=0.0, high=high)
    return resolved(ramp, field)


def glyphs_of(style: Arrows, u: Values, v: Values, valid: Valid, scene: Scene) -> Glyphs:
    """The glyphs of a picture and of its margin.

    On the picture an arrow points along the path that something carried by the vector takes, in
    any projection: its two components are laid along the images of the two axes on the ground.

    Parameters
    ----------
    u, v : float, (y, x) of the scene, physical
    valid : bool, same shape
    """
    columns, rows = (np.round(one, 3) for one in lattice(scene, style.spacing))
    height, width = u.shape
    down = np.clip(np.floor(rows), 0, height - 1).astype(np.intp)
    right = np.clip(np.floor(columns), 0, width - 1).astype(np.intp)
    good = valid[down, right]
    columns, rows = columns[good], rows[good]
    down, right = down[good], right[good]
    along = scene.source if style.along == "grid" else CRS84
    axes = axes_at(scene.grid, along, columns, rows)
    first, second = u[down, right].astype(np.float64), v[down, right].astype(np.float64)
    moved = first[:, np.newaxis] * axes.first + second[:, np.newaxis] * axes.second
    length = np.linalg.norm(moved, axis=1)
    heading = np.divide(
        moved, length[:, np.newaxis], out=np.zeros_like(moved), where=length[:, np.newaxis] > 0
    )
    seen = np.isfinite(heading).all(axis=1)
    at = np.stack([columns, rows], axis=-1) - scene.margin
    return Glyphs(at[seen], heading[seen], np.hypot(first, second)[seen], axes.latitude[seen] < 0)


def paint_glyphs(
    style: Arrows, glyphs: Glyphs, field: Field, shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """The picture of the glyphs alone: uint8, (y, x, 4).

    Parameters
    ----------
    field : Field, of the speed
    """
    ramp = speed_ramp(style, field)
    entries, colors = _inks(style, ramp, glyphs.speed)
    marks = [
        list(
            _barb(style, glyphs, place, ink, _knots(field))
            if style.kind == "barbs"
            else _arrow(style, glyphs, place, ink, float(ramp.high or 1.0))
        )
        for place, ink in enumerate(entries)
    ]
    flat = [mark for glyph in marks for mark in glyph]
    return drawn([*(_haloed(mark) for mark in flat), *flat], shape, colors)


def _inks(style: Arrows, ramp: ColorRamp, speed: FloatArray) -> tuple[list[int], list[Rgba]]:
    """Ink of each glyph, and the inks: the first is the halo's."""
    light = sum(style.color[:3]) < 3 * 128 or style.coloring == "glyphs"
    halo: Rgba = (255, 255, 255, 150) if light else (0, 0, 0, 150)
    if style.ramp is None or style.coloring == "background":
        return [2] * len(speed), [halo, style.color]
    palette = palette_of(ramp)
    found = ramp_indexes(speed.copy(), ramp, palette)
    used, places = np.unique(np.minimum(found, 253), return_inverse=True)
    colors = [tuple(int(part) for part in palette.colors[entry]) for entry in used]
    return (places + 2).tolist(), [halo, *colors]  # type: ignore[list-item]


def _haloed(mark: Mark) -> Mark:
    """The outline of a mark, a little wider, in the halo's ink."""
    match mark:
        case Line(points=points, width=width):
            return Line(points, width + 2 * _HALO_WIDTH, 1)
        case Shape(points=points):
            return Line(points, 2 * _HALO_WIDTH, 1, closed=True)
        case Disc(points=points, radius=radius, width=width):
            return Disc(points, radius, 1, width + 2 * _HALO_WIDTH)
        case _:
            return mark


def _arrow(style: Arrows, glyphs: Glyphs, place: int, ink: int, full: float) -> Iterator[Mark]:
    speed = float(glyphs.speed[place])
    if speed < 0.005 * full:
        yield Disc(glyphs.at[place : place + 1], 1.2, ink)
        return
    scale = style.size / 24
    length = style.size * (0.4 + 0.6 * min(speed / full, 1.0))
    head = min(_HEAD * scale, 0.6 * length)
    wide = _HEAD_WIDTH * scale * head / (_HEAD * scale)
    end, neck = length / 2, length / 2 - head
    shaft, tail = max(_SHAFT * scale, 0.6), max(_TAIL * scale, 0.35)
    outline = np.array(
        [
            (-end, -tail), (neck + 0.15 * head, -shaft), (neck, -wide), (end, 0.0),
            (neck, wide), (neck + 0.15 * head, shaft), (-end, tail),
        ]
    )  # fmt: skip
    yield Shape(_turned(outline, glyphs.at[place], glyphs.heading[place]), ink)


def _turned(points: FloatArray, at: FloatArray, heading: FloatArray) -> FloatArray:
    """Points (along, to the right of) a heading, around a place."""
    side = np.array([-heading[1], heading[0]])
    return np.asarray(at + points[:, :1] * heading + points[:, 1:] * side)


def _knots(field: Field) -> float:
    """Knots of one unit of the field; metres per second where the unit is not known."""
    unit = unit_of(field.uom)
    return (unit.factor if unit is not None and unit.quantity == "speed" else 1.0) / _KNOT


def _barb(style: Arrows, glyphs: Glyphs, place: int, ink: int, knots: float) -> Iterator[Mark]:
    """Staff towards where it blows from; feathers clockwise of it, south of the equator counter."""
    fives = round(float(glyphs.speed[place]) * knots / 5)
    scale = style.size / 24
    at, heading = glyphs.at[place], glyphs.heading[place]
    if fives == 0 or not heading.any():
        yield Disc(at[np.newaxis], 2.2 * scale, ink, 1.0 * scale)
        return
    side = 1.0 if glyphs.southern[place] else -1.0
    reach, step, long, stroke = style.size, 3.4 * scale, 9.5 * scale, 1.25 * scale

    def on_staff(*points: tuple[float, float]) -> FloatArray:
        away = np.array([(-along, side * across) for along, across in points])
        return _turned(away, at, heading)

    flags, rest = divmod(fives, 10)
    full, half = divmod(rest, 2)
    yield Line(on_staff((0.0, 0.0), (reach, 0.0)), stroke, ink)
    tip = reach
    for _ in range(flags):
        yield Shape(on_staff((tip, 0), (tip - 0.1 * long, long), (tip - 1.6 * step, 0)), ink)
        tip -= 1.9 * step
    for _ in range(full):
        yield Line(on_staff((tip, 0.0), (tip + 0.35 * long, long)), stroke, ink)
        tip -= step
    if half:
        tip -= step if fives == 1 else 0.0
        yield Line(on_staff((tip, 0.0), (tip + 0.18 * long, 0.5 * long)), stroke, ink)
