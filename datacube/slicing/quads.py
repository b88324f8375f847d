"""Quads of neighbouring cell centres: their nodes, blocks of them, and places within one."""

import numpy as np
from numpy.typing import NDArray

from datacube.model.grid import ReferenceableGrid, on_sphere

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

type Seen = tuple[FloatArray, FloatArray, FloatArray]
"""Right, down and towards the viewer, of a node seen from a place."""

_FAR = 9.0
_SLACK = 1e-9


def vectors(grid: ReferenceableGrid) -> tuple[FloatArray, ...]:
    """Unit vectors of a geographic grid's centres, plane coordinates of others."""
    x, y = np.asarray(grid.x, float), np.asarray(grid.y, float)
    lost = ~(np.isfinite(x) & np.isfinite(y))
    if lost.any():
        x, y = np.where(lost, np.nan, x), np.where(lost, np.nan, y)
    if not grid.crs.geographic:
        return x, y
    return on_sphere(x, y)


def ringed(nodes: tuple[FloatArray, ...], *, geographic: bool) -> tuple[FloatArray, ...]:
    """With one more node beyond each side, as far as the one before it and straight on.

    On the globe that is along the great circle, so that two sides of a grid that goes once round
    meet exactly.
    """
    whole = np.stack(nodes)
    for axis in (1, 2):
        edges, inner = (np.take(whole, places, axis) for places in ((0, -1), (1, -2)))
        along = np.sum(edges * inner, axis=0, keepdims=True) if geographic else 1.0
        beyond = 2 * along * edges - inner
        first, last = np.split(beyond, 2, axis)
        whole = np.concatenate([first, whole, last], axis)
    return tuple(np.ascontiguousarray(one) for one in whole)


def spacing(nodes: tuple[FloatArray, ...], *, geographic: bool) -> float:
    """Middle distance of neighbouring centres, the shorter of the two directions."""
    along = []
    for axis in (0, 1):
        steps = np.sqrt(sum(np.diff(one, axis=axis) ** 2 for one in nodes))
        steps = steps[np.isfinite(steps) & (steps > 0)]
        if steps.size:
            along.append(float(np.median(steps)))
    shortest = min(along, default=1.0)
    return float(np.degrees(shortest)) if geographic else shortest


def quad_sum(nodes: FloatArray) -> FloatArray:
    """Sum of each quad's four nodes; one row and column fewer than the nodes."""
    return np.asarray(nodes[:-1, :-1] + nodes[:-1, 1:] + nodes[1:, :-1] + nodes[1:, 1:])


def block_middles(
    nodes: tuple[FloatArray, ...],
    good: BoolArray,
    rows: IndexArray,
    columns: IndexArray,
    side: int,
) -> tuple[tuple[FloatArray, ...], IndexArray]:
    """Which whole quad is nearest to each block's middle, -1 where none is, and its middle."""
    height, width = good.shape
    start = np.full((len(rows), len(columns)), -1, np.intp)
    order = sorted(
        ((low, right) for low in range(side) for right in range(side)),
        key=lambda at: abs(at[0] - side // 2) + abs(at[1] - side // 2),
    )
    for low, right in order:
        j = np.minimum(rows + low, height - 1)[:, None]
        i = np.minimum(columns + right, width - 1)[None, :]
        start = np.where((start < 0) & good[j, i], j * (width + 1) + i, start)
    at = np.maximum(start, 0)
    offsets = (0, 1, width + 1, width + 2)
    middle = tuple(
        np.mean([one.take(at + step) for step in offsets], axis=0).ravel() for one in nodes
    )
    return middle, start.ravel()


def block_reach(
    nodes: tuple[FloatArray, ...],
    middle: tuple[FloatArray, ...],
    rows: IndexArray,
    columns: IndexArray,
    side: int,
) -> FloatArray:
    """Largest distance of a block's nodes from its middle; float64, (blocks,)."""
    shape = len(rows), len(columns)
    height, width = nodes[0].shape
    far = np.zeros(shape)
    for low in range(side + 1):
        for right in range(side + 1):
            j = np.minimum(rows + low, height - 1)[:, None]
            i = np.minimum(columns + right, width - 1)[None, :]
            off = [one[j, i] - mid.reshape(shape) for one, mid in zip(nodes, middle, strict=True)]
            far = np.fmax(far, np.sum(np.square(off), axis=0))
    return np.asarray(np.sqrt(far)).ravel()


def slopes(
    nodes: tuple[FloatArray, ...], start: IndexArray
) -> tuple[tuple[FloatArray, ...], tuple[FloatArray, ...]]:
    """Column and row as linear functions of a place, true at the middle of the quads at start.

    Returns
    -------
    column, row : (constant, factor of each component …), float64, (blocks,) each
    """
    width = nodes[0].shape[1]
    corners = [[one.take(start + step) for one in nodes] for step in (0, 1, width, width + 1)]
    parts = list(zip(*corners, strict=True))
    right = [(b + d - a - c) / 2 for a, b, c, d in parts]
    down = [(c + d - a - b) / 2 for a, b, c, d in parts]
    rr, rd, dd = (
        sum(p * q for p, q in zip(one, other, strict=True))
        for one, other in ((right, right), (right, down), (down, down))
    )
    scale = 1 / np.maximum(rr * dd - rd * rd, np.finfo(float).tiny)
    along = [(dd * p - rd * q) * scale for p, q in zip(right, down, strict=True)]
    across = [(rr * q - rd * p) * scale for p, q in zip(right, down, strict=True)]
    j, i = np.divmod(start, width)
    column, row = (
        (at + 0.5 - sum(f * sum(p) / 4 for f, p in zip(factors, parts, strict=True)), *factors)
        for at, factors in ((i, along), (j, across))
    )
    return column, row


def bilinear_inverse(
    corners: list[Seen],
) -> tuple[FloatArray, FloatArray]:
    """Where in each quad the origin is: shares to the right and down, by three Newton steps."""
    (x00, y00, _), (x01, y01, _), (x10, y10, _), (x11, y11, _) = corners
    bx, by, cx, cy = x01 - x00, y01 - y00, x10 - x00, y10 - y00
    dx, dy = x11 - x01 - cx, y11 - y01 - cy
    s = t = np.full(len(x00), 0.5)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for _ in range(3):
            ax, ay = bx + dx * t, by + dy * t
            ex, ey = cx + dx * s, cy + dy * s
            fx, fy = x00 + bx * s + ex * t, y00 + by * s + ey * t
            scale = 1 / (ax * ey - ay * ex)
            s = s - (fx * ey - fy * ex) * scale
            t = t - (ax * fy - ay * fx) * scale
    return np.clip(s, -_FAR, _FAR), np.clip(t, -_FAR, _FAR)


def holds(share: FloatArray) -> BoolArray:
    """Whether a share of a quad's side lies on it."""
    return np.asarray((share >= -_SLACK) & (share <= 1 + _SLACK))


def leaning(corners: list[Seen]) -> BoolArray:
    """Whether a quad leans so much that another centre than its corners may be nearest."""
    (x00, y00, _), (x01, y01, _), (x10, y10, _), (x11, y11, _) = corners
    right = x01 + x11 - x00 - x10, y01 + y11 - y00 - y10
    down = x10 + x11 - x00 - x01, y10 + y11 - y00 - y01
    squares = (one[0] * one[0] + one[1] * one[1] for one in (right, down))
    uneven = (x00 + x11 - x01 - x10) ** 2 + (y00 + y11 - y01 - y10) ** 2
    product = np.abs(right[0] * down[0] + right[1] * down[1])
    return np.asarray(product + uneven > 0.45 * np.minimum(*squares))


def on_own_side(corners: list[Seen]) -> BoolArray:
    """Whether a quad is on the places' own side of the globe."""
    return np.asarray(corners[0][2] + corners[3][2] > 0)


def walked(place: IndexArray, share: FloatArray, last: int) -> IndexArray:
    """The quad to which a share leads, counted in quads, within 0 … last."""
    steps = np.floor(np.where(np.isfinite(share), share, 0.0)).astype(np.intp)
    return np.asarray(np.clip(place + steps, 0, last))
