"""One number for each pixel: a field as it is stored, or band maths, over one step or many.

The order of the stages: at every step the fields are read and the expression is evaluated; then
the steps are made one, by the most recent valid value or by a reducer.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from datacube.algebra.check import check, resolve
from datacube.algebra.evaluate import evaluate
from datacube.algebra.needs import needs
from datacube.algebra.nodes import Node, walk
from datacube.algebra.text import parse
from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.places import Places
from datacube.engine.read import Values, plan_field, read_field
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.slicing.cells import IndexMap, PixelMap, ReadPlan, SeparableMap
from datacube.slicing.reduce import Reducer

_AHEAD = 6
_STACK_BYTES = 96 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted at each pixel.

    Parameters
    ----------
    field : Field, what the values are
    needs : fields that are read for it
    tree : the expression, None for the field itself
    """

    field: Field
    needs: tuple[Field, ...]
    tree: Node | None = None

    @property
    def work(self) -> int:
        """How much is computed for a pixel: fields that are read, and parts of the expression."""
        return len(self.needs) + (0 if self.tree is None else sum(1 for _ in walk(self.tree)))


@dataclass(frozen=True, eq=False)
class Found:
    """Values for every pixel, and what they are: data in field's dtype and valid, both (y, x)."""

    field: Field
    data: np.ndarray
    valid: np.ndarray


def wanted_field(one: Field) -> Wanted:
    """A field as it is stored."""
    return Wanted(one, (one,))


def wanted_expression(
    description: CoverageDescription, text: str, name: str = "expression"
) -> Wanted:
    """Band maths over a cube's fields.

    Raises
    ------
    InvalidExpression, FieldNotFound
        The text cannot be read, or names a field that is not there.
    """
    known = description.range_type
    tree = parse(text, subject="EXPR")
    dtype = check(tree, known, subject="EXPR")
    tree = resolve(tree, known)
    used = tuple(known.field(one) for one in sorted(needs(tree)))
    return Wanted(
        Field(name, "float32" if dtype.kind == "b" else dtype.name, title=text), used, tree
    )


def find_values(
    context: Context,
    cube: Cube,
    wanted: Wanted,
    level: int,
    cells: IndexMap,
    places: Places,
    reducer: Reducer | None = None,
) -> Found:
    """Values at every pixel, the steps made one.

    Parameters
    ----------
    level : int, the level that cells is on
    cells : IndexMap
    places : Places, the most recent first
    reducer : Reducer, optional; the most recent valid value where None

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    reader = _StepReader(context, cube, wanted, level, cells)
    if reducer is None:
        return _most_recent(reader, places.candidates[: context.settings.limits.max_steps])
    if reducer.stacked:
        return _in_bands(reader, places, reducer)
    return _reduce(reader, places, reducer)


@dataclass(frozen=True, eq=False)
class _StepReader:
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


def ahead[T, R](
    pool: Executor, work: Callable[[T], R], items: Iterable[T], count: int = _AHEAD
) -> Iterator[R]:
    """Results in order, ``count`` of them computed ahead; no more are held.

    When the iterator is closed, or an item fails, work that has not begun is given up.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(ahead(pool, abs, range(-10, 0)))
    [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    """
    rest = iter(items)
    under_way: list[Future[R]] = [pool.submit(work, item) for item in islice(rest, count)]
    try:
        while under_way:
            result = under_way.pop(0).result()
            under_way += [pool.submit(work, item) for item in islice(rest, 1)]
            yield result
    finally:
        for one in under_way:
            one.cancel()


def _reduce(reader: _StepReader, places: Places, reducer: Reducer) -> Found:
    """All steps into one accumulator, in the order that it asks for."""
    order = places.candidates if reducer.order == "descending" else places.candidates[::-1]
    accumulator = reducer.start(reader.cells.shape)
    for values, valid in ahead(reader.context.steps, reader.physical, order):
        accumulator.add(values, valid)
        if accumulator.done:
            break
    values, valid = accumulator.result()
    return Found(reduced_field(reader.wanted.field, reducer, values.dtype), values, valid)


def _in_bands(reader: _StepReader, places: Places, reducer: Reducer) -> Found:
    """Quantiles need every value at once: a band of rows at a time keeps them in bounds."""
    height, width = reader.cells.shape
    row_bytes = max(reducer.stack_bytes(len(places.candidates), (1, width)), 1)
    rows = max(min(_STACK_BYTES // row_bytes, height), 1)
    bands = [
        _reduce(
            replace(reader, cells=rows_of(reader.cells, slice(top, top + rows))), places, reducer
        )
        for top in range(0, height, rows)
    ]
    data = np.concatenate([band.data for band in bands])
    return Found(bands[0].field, data, np.concatenate([band.valid for band in bands]))


def reduced_field(one: Field, reducer: Reducer, dtype: np.dtype[np.generic]) -> Field:
    """What reduced values are: physical numbers, in the field's unit but for a count."""
    uom = {"count": "1", "var": f"({one.uom})2"}.get(reducer.name, one.uom)
    return replace(one, dtype=dtype.name, nil=None, scale=1.0, offset=0.0, uom=uom, categories=())


def _most_recent(reader: _StepReader, places: tuple[tuple[int, ...], ...]) -> Found:
    """The first valid value of each pixel; stops when none is missing."""
    what, shape = reader.wanted.field, reader.cells.shape
    if not (places and any(plan.chunks for plan in reader.plans.values())):
        return Found(what, np.zeros(shape, what.dtype), np.zeros(shape, bool))
    data, valid = reader.read(places[0])
    for place in places[1:]:
        if valid.all():
            break
        older, known = reader.read(place)
        missing = known & ~valid
        data[missing] = older[missing]
        valid |= missing
    return Found(replace(what, dtype=data.dtype.name), data, valid)


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
