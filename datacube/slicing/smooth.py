"""Pixels of windows whose positions are smooth: interpolated block by block, none asked again.

Most windows of most maps are like that, and most lie on the cells with all their pixels. Their
positions are interpolated a strip of rows at a time, so that what is worked on stays in the
processor's own memory. In which window of cells they lie is known before, from a few of them and
from how far the others may be off: so they are found as places in it, with short whole numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.cells import ROOM, PixelBlock, halves
from datacube.slicing.sheets import PLACES, Room, quartic, snapped

FloatArray = NDArray[np.float64]
type Window = tuple[slice, slice]
type Bounds = tuple[FloatArray, FloatArray]

_STRIP = 1 << 15  # pixels
_LEAST = 16  # rows
_SEEN = 16
_SLACK = 0.25
_HALF = 0.5**PLACES / 2  # of a grain, to which positions are rounded
_NARROW = 1 << 31
_BEND = np.array([[1, -2, 1, 0, 0], [0, 1, -2, 1, 0], [0, 0, 1, -2, 1]], float)


@dataclass(frozen=True, slots=True)
class _Box:
    """Cells: the first row and column, and how many."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class Smooth:
    """Blocks of pixels whose positions are polynomials.

    Parameters
    ----------
    nodes : float64, (rows, columns, 2, 5, 5), exact positions in each block; u, then v
    size : int, pixels along a side of a block
    room : Room, the cells

    Examples
    --------
    >>> u, v = np.meshgrid(np.arange(5) * 16 + 100.5, np.arange(5) * 16 + 7.5)
    >>> smooth = Smooth(np.stack([u, v])[None, None], 64, Room(11, 200))
    >>> (block,) = smooth.pixel_blocks((slice(1, 3), slice(0, 4)), 1, (0, 0))
    >>> block.top, block.left, block.places.tolist(), block.inside
    (8, 100, [[0, 1, 2, 3], [4, 5, 6, 7]], None)
    >>> (block,) = smooth.pixel_blocks((slice(3, 5), slice(0, 4)), 1, (0, 0))
    >>> block.inside.tolist()
    [[True, True, True, True], [False, False, False, False]]
    """

    nodes: FloatArray
    size: int
    room: Room

    def positions(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Positions of a window's pixels.

        Parameters
        ----------
        window : rows and columns of the blocks' pixels

        Returns
        -------
        u, v : float64, (y, x), rounded by :func:`~datacube.slicing.sheets.snapped`
        """
        u, v = np.empty((2, *_shape(window)))
        for lines, strip in self._strips(window, self.nodes):
            u[lines] = snapped(strip[0], self.room.turn)
            v[lines] = snapped(strip[1])
        return u, v

    def pixel_blocks(
        self, window: Window, factor: int, corner: tuple[int, int]
    ) -> Iterator[PixelBlock] | None:
        """The cells of a window's pixels.

        Parameters
        ----------
        window : rows and columns of the blocks' pixels
        factor : int, a power of 2: how many cells make one that is counted, along rows and columns
        corner : (row, column) of the window's first pixel in the target

        Returns
        -------
        blocks : iterator of PixelBlock
            None where the cells go round the globe and the window may not lie on them as it is.
        """
        bounds = self._bounds(window)
        if self.room.turn is not None and not self._is_certain(bounds):
            return None
        return self._blocks(window, factor, corner, bounds)

    def _is_certain(self, bounds: Bounds) -> bool:
        """Whether all that lies within bounds is on the cells."""
        low, high = bounds
        ends = np.array([self.room.width, self.room.height])
        return bool((low >= 0).all() and (high <= ends).all())

    def _blocks(
        self, window: Window, factor: int, corner: tuple[int, int], bounds: Bounds
    ) -> Iterator[PixelBlock]:
        """The cells of a window that lies within bounds, where it is on the cells."""
        low, high = bounds
        ends = np.array([self.room.width, self.room.height])
        first = np.maximum(low, 0).astype(np.intp) // factor
        last = np.minimum(high, ends - 1).astype(np.intp) // factor
        if (high < 0).any() or (first > last).any():
            return
        (left, top), (width, height) = first.tolist(), (last - first + 1).tolist()
        if width * height > ROOM and _shape(window) != (1, 1):
            for part in product(halves(window[0]), halves(window[1])):
                row, column = (
                    one.start - whole.start for one, whole in zip(part, window, strict=True)
                )
                at = corner[0] + row, corner[1] + column
                yield from self._blocks(part, factor, at, self._bounds(part))
            return
        box = _Box(top, left, height, width)
        if self._is_certain(bounds):
            yield _block(corner, box, self._places(window, factor, box), None)
            return
        places, inside = self._places_at_edge(window, factor, box)
        if inside.all():
            yield _block(corner, box, places, None)
        elif inside.any():
            yield _block(corner, box, places, inside)

    def _places(self, window: Window, factor: int, box: _Box) -> NDArray[np.intp]:
        """Places in a box of cells, all of them on it."""
        places = np.empty(_shape(window), np.intp)
        for lines, strip in self._strips(window, self._in_box(factor, box)):
            places[lines] = _flat(strip, box)
        return places

    def _places_at_edge(
        self, window: Window, factor: int, box: _Box
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The same, 0 outside, and which are inside; a hair beyond the edge is."""
        places, inside = np.empty(_shape(window), np.intp), np.empty(_shape(window), bool)
        ends = (self.room.width, box.left), (self.room.height, box.top)
        for lines, strip in self._strips(window, self._in_box(factor, box)):
            on = inside[lines]
            on.fill(True)
            for position, (count, first) in zip(strip, ends, strict=True):
                on &= position > -2 * _HALF / factor - first
                on &= position < (count + 4 * _HALF) / factor - first
                np.clip(position, -first, (count - 0.5) / factor - first, out=position)
            found = _flat(strip, box)
            found *= on
            places[lines] = found
        return places, inside

    def _in_box(self, factor: int, box: _Box) -> FloatArray:
        """The nodes in cells of a box, so much later that what would be rounded to one is in it."""
        nodes: FloatArray = (self.nodes + _HALF) / factor
        nodes -= np.array([box.left, box.top])[:, None, None]
        return nodes

    def _bounds(self, window: Window) -> Bounds:
        """Least and greatest u and v of a window, a little more than that; float64, (2,) each."""
        found = []
        for row, _, down in _cuts(window[0], self.size):
            for column, _, right in _cuts(window[1], self.size):
                weights = _sample(self.size, down.start, down.stop)
                across = _sample(self.size, right.start, right.stop).T
                some = (weights @ self.nodes[row, column] @ across).reshape(2, -1)
                found += [some.min(1) - self._slack, some.max(1) + self._slack]
        return np.minimum.reduce(found), np.maximum.reduce(found)

    @cached_property
    def _slack(self) -> float:
        """How far beyond the pixels of a sample others may lie: where they turn, they are bent.

        Half of what a bend adds to half a step, twice; and what blocks that have passed may differ
        from a parabola.
        """
        bends = self.nodes @ _BEND.T, _BEND @ self.nodes
        bend = sum(max(float(one.max()), -float(one.min())) for one in bends)
        return _SLACK + bend * (4 * _SEEN / self.size) ** 2 / 2

    def _strips(self, window: Window, nodes: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Some rows of the window after others, and what blocks of nodes give for their pixels.

        Good until the next.
        """
        weights, across = quartic(self.size)
        width = _shape(window)[1]
        tall = max(_STRIP // width, _LEAST)
        memory = np.empty(2 * tall * width)
        columns = list(_cuts(window[1], self.size))
        for row, lines, down in _cuts(window[0], self.size, tall):
            height = lines.stop - lines.start
            strip = memory[: 2 * height * width].reshape(2, height, width)
            for column, places, right in columns:
                lower = weights[down] @ nodes[row, column]
                np.matmul(lower, across[:, right], out=strip[:, :, places])
            yield lines, strip


def _flat(strip: FloatArray, box: _Box) -> NDArray[np.signedinteger]:
    """Places of positions in a box of cells, those outside it anything; (y, x)."""
    kind = np.int32 if box.height * box.width < _NARROW else np.intp
    cells: NDArray[np.signedinteger] = strip.astype(kind)
    found: NDArray[np.signedinteger] = cells[1]
    found *= box.width
    found += cells[0]
    return found


def _cuts(pixels: slice, size: int, most: int = 1 << 30) -> Iterator[tuple[int, slice, slice]]:
    """Blocks that pixels lie in: their number, which of the pixels, and which of the block's.

    Examples
    --------
    >>> list(_cuts(slice(60, 70), 64))
    [(0, slice(0, 4, None), slice(60, 64, None)), (1, slice(4, 10, None), slice(0, 6, None))]
    """
    at = pixels.start
    while at < pixels.stop:
        block, first = divmod(at, size)
        count = min(size - first, pixels.stop - at, most)
        start = at - pixels.start
        yield block, slice(start, start + count), slice(first, first + count)
        at += count


@lru_cache(maxsize=512)
def _sample(size: int, start: int, stop: int) -> FloatArray:
    """Weights of some of a block's pixels, the first and the last with them; float64, (n, 5)."""
    return quartic(size)[0][[*range(start, stop - 1, _SEEN), stop - 1]]


def _shape(window: Window) -> tuple[int, int]:
    down, right = window
    return down.stop - down.start, right.stop - right.start


def _block(
    corner: tuple[int, int], box: _Box, places: NDArray[np.intp], inside: NDArray[np.bool_] | None
) -> PixelBlock:
    (top, left), (height, width) = corner, places.shape
    down, right = slice(top, top + height), slice(left, left + width)
    return PixelBlock(down, right, box.top, box.left, box.height, box.width, places, inside)
