"""Fields of a Zarr group that others wrote: dtype, packing, no data, and how each array lies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datacube.errors import DatacubeError
from datacube.model.fields import Field
from datacube.model.naming import identifier
from datacube.store.cffield import Missing, field_of, missing_of
from datacube.store.foreign_arrays import ArrayMeta
from datacube.store.foreign_layout import Layout
from datacube.store.foreign_scope import packing, plain_attributes

MALFORMED = (
    *(DatacubeError, ValueError, TypeError, KeyError, AttributeError, IndexError),
    *(ArithmeticError, RecursionError),
)
"""What odd metadata makes of code that expects honest one."""


@dataclass(frozen=True, slots=True)
class PartField:
    """A field and how its array lies.

    Parameters
    ----------
    field : Field
    meta : ArrayMeta
    missing : Missing
    places : tuple of int
        The array's dimension of each of the cube's, -1 where it has none.
    """

    field: Field
    meta: ArrayMeta
    missing: Missing
    places: tuple[int, ...]


def words_of(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, DatacubeError) else f"odd metadata ({text})"


def fields_of(
    members: list[tuple[ArrayMeta, Layout]],
    layout: Layout,
    sizes: Mapping[str, int],
    reasons: list[str],
) -> Iterator[PartField]:
    """The fields of arrays that share grid and axes.

    Parameters
    ----------
    members : arrays with their layouts
    layout : of the first
    sizes : dimension -> size
    reasons : list of str
        Gets why an array is none of them.
    """
    taken: set[str] = set()
    for meta, own in members:
        own_sizes = dict(zip(meta.dimensions, meta.shape, strict=True))
        if any(
            own_sizes[name] != sizes[name] for name in (*own.axes, own.time, own.x, own.y) if name
        ):
            reasons.append(
                f"{meta.path}: its shape {list(meta.shape)} is not that of its neighbours"
            )
            continue
        try:
            field, missing = _field(meta)
        except MALFORMED as error:
            reasons.append(f"{meta.path}: {words_of(error)}")
            continue
        name = field.name
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        places = tuple(
            meta.dimensions.index(one) if one in meta.dimensions else -1 for one in layout.logical
        )
        yield PartField(replace(field, name=name), meta, missing, places)


def _field(meta: ArrayMeta) -> tuple[Field, Missing]:
    """The field of an array, in the dtype that is served: bool as uint8, float16 as float32."""
    attributes = packing(plain_attributes(meta.attributes))
    dtype = served_dtype(meta.dtype)
    if meta.dtype.kind == "b":
        attributes.pop("_FillValue", None)
    missing = missing_of(dtype, attributes)
    field = field_of(ncname(meta.name), missing, attributes)
    if meta.dtype.kind == "b":
        field = replace(field, overview="mode", valid_range=(0.0, 1.0))
    return replace(field, title=field.title[:200]), missing


def served_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which values are served.

    Examples
    --------
    >>> served_dtype(np.dtype("bool")).name, served_dtype(np.dtype("float16")).name
    ('uint8', 'float32')
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if dtype == np.float16 else dtype.newbyteorder("=")


def ncname(text: str) -> str:
    """A foreign name as an id: ``:``, ``/`` and ``.`` become ``__``.

    Examples
    --------
    >>> ncname("t2m.mean"), ncname("era5:daily"), ncname("2 m")
    ('t2m__mean', 'era5__daily', '_2_m')
    """
    for sign in ":/.":
        text = text.replace(sign, "__")
    return identifier(text, "_")
