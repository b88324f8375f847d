"""Reading what is wanted at one step after the other."""

from dataclasses import dataclass, field

import numpy as np

from datacube.algebra.evaluate import evaluate
from datacube.algebra.nodes import FieldRef, Node
from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.elsewhere import OtherField, cells_elsewhere
from datacube.engine.read import Values, fetch_together, plan_field, read_field
from datacube.engine.wanted import Wanted
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.slicing.cells import IndexMap, PixelMap, ReadPlan, SeparableMap


@dataclass(frozen=True, eq=False)
class StepReader:
    """Reads what is wanted at one place after the other; plans each field once.

    Parameters
    ----------
    level : int, the level that cells is on
    cells : IndexMap
    target : RectifiedGrid, optional
        The pixels that the cells are for, one each; fields of other cubes are read at their
        centres, else at those of the cells.
    """

    context: Context
    cube: Cube
    wanted: Wanted
    level: int
    cells: IndexMap
    target: RectifiedGrid | None = None
    plans: dict[str, ReadPlan] = field(default_factory=dict, init=False)
    beside: dict[FieldRef, tuple[int, ReadPlan]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for other in self.wanted.others:
            asked = self.cube, self.level, self.cells
            level, cells = cells_elsewhere(self.context, asked, other.cube, self.target)
            plan = plan_field(other.cube.store, other.field, level.number, cells)
            self.beside[other.ref] = level.number, plan
        for one in self.wanted.needs:
            self.plans[one.name] = plan_field(self.cube.store, one, self.level, self.cells)

    def read(self, place: tuple[int, ...]) -> Values:
        """Stored values of a field where it is kept, or values of an expression."""
        if self.wanted.tree is not None:
            return self._evaluated(self.wanted.tree, place)
        data, valid = self._field(self.wanted.field, place)
        if self.wanted.keep is not None:
            kept, known = self._evaluated(self.wanted.keep, place)
            valid = valid & known & (kept != 0)
        return data, valid

    def _evaluated(self, tree: Node, place: tuple[int, ...]) -> Values:
        fetch_together(self.context.pool, self.cube.store, self.level, self.plans, place)
        blocks = {one.name: _physical(one, self._field(one, place)) for one in self.wanted.needs}
        others = {one.ref: self._beside(one, place) for one in self.wanted.others}
        values, valid = evaluate(tree, blocks, others)
        return (values.astype(np.float32) if values.dtype.kind == "b" else values), valid

    def physical(self, place: tuple[int, ...]) -> Values:
        """Physical values."""
        found = self.read(place)
        return found if self.wanted.tree is not None else _physical(self.wanted.field, found)

    def _beside(self, other: OtherField, place: tuple[int, ...]) -> Values:
        """Physical values of a field of another cube beside a place of the asked one."""
        there = other.place(place)
        if there is None:
            shape = self.cells.shape
            return np.zeros(shape, other.field.physical_dtype), np.zeros(shape, bool)
        level, plan = self.beside[other.ref]
        pool, store = self.context.pool, other.cube.store
        return _physical(other.field, read_field(pool, store, other.field, level, plan, there))

    def _field(self, one: Field, place: tuple[int, ...]) -> Values:
        plan = self.plans[one.name]
        return read_field(self.context.pool, self.cube.store, one, self.level, plan, place)


def _physical(one: Field, values: Values) -> Values:
    data, valid = values
    return one.decode(data, valid), valid


def rows_of(cells: IndexMap, rows: slice) -> IndexMap:
    """Some target rows of an index map."""
    match cells:
        case SeparableMap():
            return SeparableMap.of(cells.down.part(rows), cells.across)
        case PixelMap(all_rows, columns):
            return PixelMap(all_rows[rows], columns[rows])
