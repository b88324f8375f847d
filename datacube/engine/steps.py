"""Reading what is wanted at one step after the other."""

from dataclasses import dataclass, field

import numpy as np

from datacube.algebra.evaluate import evaluate
from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.read import Values, plan_field, read_field
from datacube.engine.wanted import Wanted
from datacube.model.fields import Field
from datacube.slicing.cells import IndexMap, PixelMap, ReadPlan, SeparableMap


@dataclass(frozen=True, eq=False)
class StepReader:
    """Reads what is wanted at one place after the other; plans each field once."""

    context: Context
    cube: Cube
    wanted: Wanted
    level: int
    cells: IndexMap
    plans: dict[str, ReadPlan] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for one in self.wanted.needs:
            self.plans[one.name] = plan_field(self.cube.store, one, self.level, self.cells)

    def read(self, place: tuple[int, ...]) -> Values:
        """Stored values of a field, or values of an expression."""
        if self.wanted.tree is None:
            return self._field(self.wanted.field, place)
        blocks = {one.name: _physical(one, self._field(one, place)) for one in self.wanted.needs}
        values, valid = evaluate(self.wanted.tree, blocks)
        return (values.astype(np.float32) if values.dtype.kind == "b" else values), valid

    def physical(self, place: tuple[int, ...]) -> Values:
        """Physical values."""
        found = self.read(place)
        return found if self.wanted.tree is not None else _physical(self.wanted.field, found)

    def _field(self, one: Field, place: tuple[int, ...]) -> Values:
        plan = self.plans[one.name]
        return read_field(self.context.pool, self.cube.store, one, self.level, plan, place)


def _physical(one: Field, values: Values) -> Values:
    data, valid = values
    return one.decode(data, valid), valid


def rows_of(cells: IndexMap, rows: slice) -> IndexMap:
    """Some target rows of an index map."""
    match cells:
        case SeparableMap(all_rows, columns):
            return SeparableMap(all_rows[rows], columns)
        case PixelMap(all_rows, columns):
            return PixelMap(all_rows[rows], columns[rows])
