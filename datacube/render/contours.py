"""Contour lines with labels: lines of equal value, drawn so that neighbouring pictures fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Field
from datacube.render.canvas import text_width
from datacube.render.drawn import Contours
from datacube.render.ink import Line, Mark, Shape, Words, drawn
from datacube.render.isolines import Isoline, Levels, isolines
from datacube.render.ramp import ColorRamp
from datacube.render.ranges import resolved, round_step
from datacube.render.scene import Scene
from datacube.render.units import unit_of

type FloatArray = NDArray[np.float64]
type Values = NDArray[np.floating]
type Valid = NDArray[np.bool_]

_CELL = 144.0, 104.0  # pixels across and down that share one label
_WINDOW = 64.0, 48.0  # the part of such a cell that a label's middle may lie in
_SPECK = 40.0  # shortest ring that is drawn, in pixels
_LONGEST = 26.0  # half of the longest label
_MOST_BEND = 0.12  # one less the share of a label's length that its ends are apart
_USUAL_LINES = 16
_STEP = 1.5  # pixels from point to point of a line, at most


@dataclass(frozen=True, eq=False)
class Label:
    """A value on a line: its middle (column, row), the line's direction there, its text."""

    at: FloatArray
    degrees: float
    text: str
    length: float


def margin(style: Contours) -> int:
    """Pixels around a picture from where lines and labels reach into it."""
    return ceil(_WINDOW[0] + 2 * _LONGEST) if style.labels else ceil(_SPECK / 2 + style.width) + 2


def levels_of(style: Contours, field: Field) -> Levels:
    """Which values have lines, in the unit that the style counts in."""
    if style.levels:
        return Levels(1.0, style.levels)
    if style.interval is not None:
        return Levels(style.interval)
    ramp = resolved(ColorRamp("", "", field.name), field)
    low, high = (own_unit(style, field, one) for one in (ramp.low, ramp.high))
    return Levels(round_step(abs(high - low) / _USUAL_LINES))


def own_unit(style: Contours, field: Field, value: float | None) -> float:
    """A value of the field in the unit of the style; 0 of none."""
    factor, offset = conversion(style, field)
    return (value or 0.0) * factor + offset


def conversion(style: Contours, field: Field) -> tuple[float, float]:
    """Factor and offset from the field's unit to the style's; 1 and 0 where they do not convert.

    Examples
    --------
    >>> celsius = Contours("c", "", "t", unit="degC")
    >>> conversion(celsius, Field("t", "float32", uom="K"))
    (1.0, -273.15)
    """
    mine, its = unit_of(style.unit), unit_of(field.uom)
    if not style.unit or mine is None or its is None or mine.quantity != its.quantity:
        return 1.0, 0.0
    return its.factor / mine.factor, (its.offset - mine.offset) / mine.factor


def paint_contours(
    style: Contours, values: Values, valid: Valid, field: Field, scene: Scene
) -> NDArray[np.uint8]:
    """The lines of a picture: uint8, (y, x, 4), transparent between them.

    Parameters
    ----------
    values : float, (y, x) of the scene, physical
    valid : bool, same shape
    """
    factor, offset = conversion(style, field)
    levels = levels_of(style, field)
    counted = values.astype(np.float64, copy=False)
    if (factor, offset) != (1.0, 0.0):
        counted = counted * factor + offset
    found = isolines(counted, valid, levels)
    lines = [line for line in found if not _speck(line)]
    to_picture = 0.5 - scene.margin
    marks: list[Mark] = [
        Line(
            np.concatenate([points, points[:1]]) if line.closed else points,
            style.width * (1.8 if is_major(style, line.number) else 1.0),
        )
        for line in lines
        for points in [line.points + to_picture]
    ]
    if style.labels:
        marks += _label_marks(style, _labels(style, lines, levels, scene))
    light = sum(style.color[:3]) < 3 * 128
    halo = (255, 255, 255, 200) if light else (0, 0, 0, 200)
    return drawn(marks, scene.shape, (style.color, halo))


def _speck(line: Isoline) -> bool:
    """Whether a line is a ring too small to be read."""
    if not line.closed or len(line.points) > 2 * _SPECK:
        return False
    return bool(np.linalg.norm(np.diff(line.points, axis=0), axis=1).sum() < _SPECK)


def is_major(style: Contours, number: int) -> bool:
    """Whether the line of that level is a thicker one."""
    if not style.major:
        return False
    return (number - 1 if style.levels else number) % style.major == 0


def _label_marks(style: Contours, labels: list[Label]) -> Iterator[Mark]:
    """Gaps in the lines, then the words."""
    for label in labels:
        turn = np.radians(label.degrees)
        along, across = (
            np.array([np.cos(turn), -np.sin(turn)]),
            np.array([np.sin(turn), np.cos(turn)]),
        )
        half, high = label.length / 2 + 2.0, style.size * 0.55
        corners = [(-half, -high), (half, -high), (half, high), (-half, high)]
        yield Shape(np.array([label.at + x * along + y * across for x, y in corners]), 0)
    for label in labels:
        point = label.at[np.newaxis]
        yield Words(point, label.text, style.size, label.degrees, 2, 1.4)
        yield Words(point, label.text, style.size, label.degrees, 1)


def _labels(style: Contours, lines: Sequence[Isoline], levels: Levels, scene: Scene) -> list[Label]:
    """One label in each cell of a lattice: where a line runs straightest near the middle."""
    best: dict[tuple[int, int], tuple[float, Label]] = {}
    for line in lines:
        text = written(float(levels.value(np.array([line.number]))[0]))
        length = float(text_width(text, style.size))
        if length / 2 + 3 > _LONGEST or len(line.points) * _STEP < length:
            continue
        for cell, at, degrees, bend in _straight_places(line, length / 2 + 3, scene.corner):
            score = bend if is_major(style, line.number) else bend + 0.02
            if cell not in best or score < best[cell][0]:
                best[cell] = score, Label(at + 0.5 - scene.margin, degrees, text, length)
    return [label for _, label in best.values()]


def _straight_places(
    line: Isoline, half: float, corner: tuple[float, float]
) -> Iterator[tuple[tuple[int, int], FloatArray, float, float]]:
    """The best place of a line in each window: cell, middle, direction in degrees, badness."""
    points = np.concatenate([line.points] * 3) if line.closed else line.points
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    count = len(line.points)
    own = slice(count, 2 * count) if line.closed else slice(None)
    if line.closed and along[-1] / 3 < 4 * half:
        return
    here, at = points[own], along[own]
    offset = (here + 0.5 + corner) % _CELL - (np.array(_CELL) - _WINDOW) / 2
    fits = ((offset >= 0) & (offset < _WINDOW)).all(axis=1)
    fits &= (at >= half) & (at <= along[-1] - half)
    if not fits.any():
        return
    here, at, offset = here[fits], at[fits], offset[fits]
    before, after = (_at(points, along, at + sign * half) for sign in (-1, 1))
    chord = after - before
    reach = np.linalg.norm(chord, axis=1)
    bend = 1 - reach / (2 * half)
    away = np.abs(offset / _WINDOW - 0.5).max(axis=1)
    score = bend + 0.06 * away
    turns = np.degrees(np.arctan2(-chord[:, 1], chord[:, 0]))
    upright = (turns + 90) % 180 - 90
    middle = (before + after + 2 * here) / 4
    cells = np.floor((here + 0.5 + corner) / _CELL)
    order = np.lexsort((score, cells[:, 1], cells[:, 0]))
    order = order[bend[order] <= _MOST_BEND]
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(cells[order], axis=0) != 0).any(axis=1)
    for place in order[first]:
        cell = int(cells[place, 0]), int(cells[place, 1])
        yield cell, middle[place], float(upright[place]), float(score[place])


def _at(points: FloatArray, along: FloatArray, where: FloatArray) -> FloatArray:
    """Points of a line at lengths along it."""
    return np.stack([np.interp(where, along, points[:, axis]) for axis in (0, 1)], axis=-1)


def written(value: float) -> str:
    """A value as short as it is exact to six digits, with a true minus.

    Examples
    --------
    >>> written(12.0), written(0.30000000000000004)
    ('12', '0.3')
    """
    return f"{value + 0.0:.6g}".replace("-", "\N{MINUS SIGN}")
