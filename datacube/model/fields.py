"""Fields: what a coverage's values mean, and how packed numbers become physical ones."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datacube.errors import FieldNotFound

type Number = int | float
type Overview = Literal["mean", "mode", "nearest"]


def held_nil(value: Number | None, dtype: np.dtype[np.generic]) -> int | None:
    """A number for no data as whole numbers of a type hold it; None where none of them is it.

    Of floats NaN alone is no data.

    Examples
    --------
    >>> held_nil(255.0, np.dtype("uint8")), held_nil(-9999, np.dtype("uint8"))
    (255, None)
    """
    if value is None or dtype.kind == "f" or not np.isfinite(value) or value != int(value):
        return None
    info = np.iinfo(dtype.name)
    return int(value) if info.min <= value <= info.max else None


@dataclass(frozen=True, slots=True)
class Category:
    """One class of a categorical field.

    Parameters
    ----------
    value : int
    label : str
    color : str, ``#rrggbb`` or empty
    """

    value: int
    label: str
    color: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field (band, range component) as it is stored.

    Parameters
    ----------
    name : str, ``[A-Za-z_][A-Za-z0-9_-]*``
    dtype : str
        Numpy name of the stored (packed) type: ``int16``, ``float32`` …
    uom : str
        Unit of the physical values.
    nil : number, optional
        Packed value that means no data; NaN (always no data in float fields) need not be given.
    scale, offset : float
        physical = packed * scale + offset.
    title, standard_name : str
    valid_range : (low, high), optional
        Physical values that occur or are sensible; for colour ranges only.
    categories : tuple of Category
    overview : how a coarser level is made

    Examples
    --------
    >>> sst = Field("sst", "int16", uom="K", nil=-32768, scale=0.01, offset=273.15)
    >>> sst.decode(np.array([0, -32768], "int16"), np.array([True, False])).tolist()
    [273.15, nan]
    """

    name: str
    dtype: str
    uom: str = ""
    nil: Number | None = None
    scale: float = 1.0
    offset: float = 0.0
    title: str = ""
    standard_name: str = ""
    valid_range: tuple[float, float] | None = None
    categories: tuple[Category, ...] = ()
    overview: Overview = "mean"

    @property
    def packed(self) -> bool:
        """Whether stored and physical numbers differ."""
        return self.scale != 1.0 or self.offset != 0.0

    @property
    def physical_dtype(self) -> np.dtype[np.floating]:
        """The dtype of physical values: what xarray's CF decoding gives.

        float64 where scaled or where 32-bit integers must fit, float32 for unscaled small ones.
        """
        stored = np.dtype(self.dtype)
        if self.packed:
            return np.dtype(np.float64)
        if stored.kind == "f":
            return np.dtype(np.float32) if stored.itemsize <= 4 else np.dtype(np.float64)
        return np.dtype(np.float32) if stored.itemsize <= 2 else np.dtype(np.float64)

    def valid(self, packed: NDArray[np.generic]) -> NDArray[np.bool_]:
        """Where packed values are data: not nil, not NaN; same shape, bool.

        Parameters
        ----------
        packed : stored dtype, any shape
        """
        floating = packed.dtype.kind == "f"
        if self.nil is None or np.isnan(self.nil):
            if not floating:
                return np.ones(packed.shape, bool)
            good: NDArray[np.bool_] = np.equal(packed, packed)  # NaN equals nothing
            return good
        good = np.not_equal(packed, np.asarray(self.nil).astype(packed.dtype))
        return np.logical_and(good, ~np.isnan(packed), out=good) if floating else good

    def decode(self, packed: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Physical values, NaN where not valid.

        Parameters
        ----------
        packed : stored dtype, any shape
        valid : bool, same shape

        Returns
        -------
        values : physical_dtype, same shape, in uom
        """
        values = packed.astype(self.physical_dtype)
        if self.packed:
            values *= self.scale
            values += self.offset
        if not valid.all():
            np.copyto(values, np.nan, where=~valid)
        return values


@dataclass(frozen=True, slots=True)
class RangeType:
    """The fields of a coverage, in order.

    Examples
    --------
    >>> RangeType((Field("u", "float32"), Field("v", "float32"))).field("V").name
    'v'
    """

    fields: tuple[Field, ...]
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name.lower(): one for one in self.fields})
        if len(self.by_name) != len(self.fields):
            raise ValueError(f"fields of the same name: {[one.name for one in self.fields]}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(one.name for one in self.fields)

    def field(self, name: str) -> Field:
        """The field of that name (case does not matter) or that CF standard name.

        Raises
        ------
        FieldNotFound
            There is none; the message lists the fields.
        """
        if (found := self.by_name.get(name.lower())) is not None:
            return found
        named = [one for one in self.fields if one.standard_name and one.standard_name == name]
        if len(named) == 1:
            return named[0]
        raise FieldNotFound(
            f"no field '{name}'; the fields are {', '.join(self.names)}", subject=name
        )
