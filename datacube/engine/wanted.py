"""What is wanted at each pixel: a field as it is stored, or band maths; and what was found."""

from dataclasses import dataclass, replace

import numpy as np

from datacube.algebra.check import check, resolve
from datacube.algebra.needs import needs
from datacube.algebra.nodes import Node, walk
from datacube.algebra.text import parse
from datacube.engine.elsewhere import Elsewhere, OtherField
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.slicing.reduce import Reducer

SHIFTED = frozenset({"count", "std", "var", "range", "sum", "any", "all"})
"""Reducers whose results are of another kind than the values: other ranges, another name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted at each pixel.

    Parameters
    ----------
    field : Field, what the values are
    needs : fields that are read for it
    tree : the expression, None for the field itself
    others : fields of other cubes that the expression reads
    keep : expression that is true where a field is kept as it is stored, None for everywhere
    """

    field: Field
    needs: tuple[Field, ...]
    tree: Node | None = None
    others: tuple[OtherField, ...] = ()
    keep: Node | None = None

    @property
    def as_stored(self) -> bool:
        """Whether it is a field as it is stored, everywhere."""
        return self.tree is None and self.keep is None

    @property
    def reads(self) -> int:
        """How many fields are read."""
        return len(self.needs) + len(self.others)

    @property
    def work(self) -> int:
        """How much is computed for a pixel: fields that are read, and parts of the expression."""
        trees = (tree for tree in (self.tree, self.keep) if tree is not None)
        return self.reads + sum(1 for tree in trees for _ in walk(tree))


@dataclass(frozen=True, eq=False)
class Found:
    """Values for every pixel, and what they are: data in field's dtype and valid, both (y, x)."""

    field: Field
    data: np.ndarray
    valid: np.ndarray


def wanted_field(one: Field, mask: Wanted | None = None) -> Wanted:
    """A field as it is stored, where an expression is true."""
    if mask is None:
        return Wanted(one, (one,))
    return Wanted(one, tuple(dict.fromkeys((one, *mask.needs))), keep=mask.tree)


def wanted_expression(
    description: CoverageDescription,
    text: str,
    name: str = "expression",
    elsewhere: Elsewhere | None = None,
    subject: str = "EXPR",
) -> Wanted:
    """Band maths over a cube's fields, and those of other cubes.

    Parameters
    ----------
    elsewhere : Elsewhere, optional; without it no other cube may be named
    subject : str, the parameter that has the text

    Raises
    ------
    InvalidExpression, FieldNotFound, CoverageNotFound
        The text cannot be read, or names a field or a cube that is not there.
    """
    known = description.range_type
    tree = parse(text, subject=subject)
    others = {} if elsewhere is None else elsewhere.range_types(tree)
    dtype = check(tree, known, others, subject=subject)
    tree = resolve(tree, known)
    used = tuple(known.field(one) for one in sorted(needs(tree)))
    return Wanted(
        Field(name, "float32" if dtype.kind == "b" else dtype.name, title=text),
        used,
        tree,
        () if elsewhere is None else elsewhere.fields(tree),
    )


def reduced_field(one: Field, reducer: Reducer, dtype: np.dtype[np.generic]) -> Field:
    """What reduced values are: physical numbers, in the field's unit but for a count."""
    uom = {"count": "1", "var": f"({one.uom})2"}.get(reducer.name, one.uom)
    name = "" if reducer.name in SHIFTED else one.standard_name
    plain = replace(one, nil=None, scale=1.0, offset=0.0, categories=())
    return replace(plain, dtype=dtype.name, uom=uom, standard_name=name)
