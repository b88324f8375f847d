"""The fields of a part of a coverage: stored ones, by each reducer, between cells."""

from dataclasses import replace
from itertools import product

from datacube.engine.cube import Cube
from datacube.engine.picks import Pick
from datacube.engine.reducers import reducer_of
from datacube.engine.resampled import resampled_field
from datacube.engine.wanted import reduced_field
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import Grid
from datacube.model.query import Aggregate, Interpolation
from datacube.slicing.reduce import Reducer


def reducers_of(cube: Cube, aggregate: Aggregate | None) -> tuple[Reducer, ...]:
    """The reducers that a query names, each once."""
    if aggregate is None:
        return ()
    found = dict.fromkeys(reducer_of(cube, method, aggregate.by) for method in aggregate.methods)
    return tuple(found)


def outputs(
    fields: tuple[Field, ...], reducers: tuple[Reducer, ...]
) -> tuple[tuple[Field, ...], tuple[Reducer, ...]]:
    """Each field by each reducer: stored fields and reducers side by side."""
    if not reducers:
        return fields, ()
    pairs = tuple(product(fields, reducers))
    return tuple(one for one, _ in pairs), tuple(one for _, one in pairs)


def describe(
    cube: Cube,
    sources: tuple[Field, ...],
    window: Grid,
    picks: tuple[Pick, ...],
    reducers: tuple[Reducer, ...],
    method: Interpolation,
    between: bool,
) -> CoverageDescription:
    """The answer in the cube's words, as far as they still hold."""
    axes = tuple(pick.axis for pick in picks if pick.axis is not None)
    fields = sources
    if reducers:
        several = len(set(reducers)) > 1
        fields = tuple(
            _reduced(one, by, several=several) for one, by in zip(sources, reducers, strict=True)
        )
    if between:
        fields = tuple(resampled_field(one, method) for one in fields)
    domain = DomainSet(window, axes)
    return replace(cube.description, domain=domain, range_type=RangeType(fields), levels=())


def _reduced(one: Field, by: Reducer, *, several: bool) -> Field:
    """A field by a reducer; by its name too where there are several of them."""
    made = reduced_field(one, by, by.dtype_of(one.physical_dtype))
    if not several:
        return made
    title = f"{one.title or one.name}, {by.name}"
    return replace(made, name=f"{one.name}_{by.name.replace('.', '_')}", title=title)
