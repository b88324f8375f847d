"""Fields by the CF conventions: dtype, packing, missing values, units, classes.

CF conventions 1.11, sections 2.5 (missing data), 3.5 (flags) and 8.1 (packed data).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Category, Field, Number, Overview
from datacube.model.naming import identifier
from datacube.store.cf import numbers, signedness

_UNWRITTEN = 9.969209968386869e36
"""What the netCDF library leaves in floats that were not written and declare no fill value."""

_CLASS_WORDS = ("flag", "mask", "class", "category", "type", "ids", "quality", "code table")


@dataclass(frozen=True, slots=True)
class Missing:
    """How stored numbers say that there is no data.

    Parameters
    ----------
    dtype : dtype of the field (unsigned where ``_Unsigned`` says so), native byte order
    nil : number or None
        The one value that the field keeps (integers only).
    also : tuple of number
        Further values, turned into nil, or NaN in float fields.
    """

    dtype: np.dtype[np.generic]
    nil: Number | None
    also: tuple[Number, ...]

    def cleaned(self, raw: NDArray[np.generic]) -> NDArray[np.generic]:
        """Stored numbers as the field has them: native, unsigned, one nil value.

        Examples
        --------
        >>> Missing(np.dtype("float32"), None, (1e20,)).cleaned(np.float32([1, 1e20])).tolist()
        [1.0, nan]
        """
        values = np.ascontiguousarray(raw.astype(raw.dtype.newbyteorder("="), copy=False))
        if values.dtype != self.dtype:
            values = values.view(self.dtype)
        if not self.also:
            return values
        gone = np.zeros(values.shape, bool)
        with np.errstate(over="ignore"):
            for value in self.also:
                gone |= values == np.asarray(value).astype(self.dtype)
        if gone.any():
            values = values.copy()
            values[gone] = np.nan if self.nil is None else self.nil
        return values


def missing_of(dtype: np.dtype[np.generic], attributes: Mapping[str, Any]) -> Missing:
    """No-data rules of a variable.

    Examples
    --------
    >>> missing_of(np.dtype(">i2"), {"_FillValue": np.int16(-1), "_Unsigned": "true"}).nil
    65535
    >>> missing_of(np.dtype("u1"), {"_FillValue": np.uint8(255), "_Unsigned": "false"}).nil
    -1
    """
    native = signedness(dtype.newbyteorder("="), attributes)
    given = [
        value
        for name in ("_FillValue", "missing_value")
        if name in attributes
        for value in numbers(attributes[name])
    ]
    if native.kind == "f":
        if "_FillValue" not in attributes:
            given.append(_UNWRITTEN)
        return Missing(native, None, tuple(value for value in given if not np.isnan(value)))
    if native.kind == "i" and np.dtype(dtype).kind == "u":  # its bits are those of a signed number
        given = [_wrapped(value, native) for value in given]
    whole = [_whole(value, native) for value in given]
    whole += [_whole(flag, native) for flag in _flags_among_numbers(native, attributes)]
    known = list(dict.fromkeys(value for value in whole if value is not None))
    return Missing(native, known[0], tuple(known[1:])) if known else Missing(native, None, ())


def _flags_among_numbers(
    native: np.dtype[np.generic], attributes: Mapping[str, Any]
) -> Iterator[Number]:
    """Flags that stand among the numbers of a packed measure (land, coast): no measure themselves.

    A flag within ``valid_range`` is one of the measures that it annotates.
    """
    if "flag_values" not in attributes or "scale_factor" not in attributes:
        return
    ends = [_whole(end, native) for end in numbers(attributes.get("valid_range", ()))]
    low, high = ends if len(ends) == 2 else (None, None)
    for flag in numbers(attributes["flag_values"]):
        held = _whole(flag, native)
        if held is None or low is None or high is None or not low <= held <= high:
            yield flag


def field_of(name: str, missing: Missing, attributes: Mapping[str, Any]) -> Field:
    """The field that a variable describes.

    The scale and offset are exactly the doubles that the attributes' values are.
    """
    scale = float(attributes.get("scale_factor", 1.0))
    offset = float(attributes.get("add_offset", 0.0))
    title = str(attributes.get("long_name") or attributes.get("standard_name") or name).strip()
    packed = scale != 1.0 or offset != 0.0
    categories = () if packed or missing.dtype.kind == "f" else _categories(attributes)
    return Field(
        identifier(name, "_"),
        missing.dtype.name,
        uom=str(attributes.get("units", "")).strip(),
        nil=missing.nil,
        scale=scale,
        offset=offset,
        title=title,
        standard_name=str(attributes.get("standard_name", "")).strip(),
        valid_range=_valid_range(missing.dtype, attributes, scale, offset),
        categories=categories,
        overview=_overview(name, missing.dtype, attributes, packed=packed),
    )


def apart(field: Field, others: Iterable[Field]) -> Field:
    """The field by a name that none of the others has, whatever the case of its letters.

    Examples
    --------
    >>> apart(Field("t", "int16"), [Field("T", "int16"), Field("t_", "int16")]).name
    't__'
    """
    taken, name = {one.name.lower() for one in others}, field.name
    while name.lower() in taken:
        name += "_"
    return replace(field, name=name)


def _wrapped(value: Number, dtype: np.dtype[np.generic]) -> Number:
    """The signed number of the same bits as an unsigned one."""
    return value - 2 ** (8 * dtype.itemsize) if value > np.iinfo(dtype.name).max else value


def _whole(value: Number, dtype: np.dtype[np.generic]) -> int | None:
    """An attribute's number as the dtype holds it; None where it cannot."""
    if not np.isfinite(value) or value != int(value):
        return None
    info = np.iinfo(dtype.name)
    number = int(value)
    if dtype.kind == "u" and number < 0:
        number += 2 ** (8 * dtype.itemsize)
    return number if info.min <= number <= info.max else None


def _categories(attributes: Mapping[str, Any]) -> tuple[Category, ...]:
    """Classes of ``flag_values`` and ``flag_meanings``; none for bit masks."""
    if "flag_values" not in attributes or "flag_masks" in attributes:
        return ()
    values = [int(value) for value in numbers(attributes["flag_values"])]
    labels = str(attributes.get("flag_meanings", "")).split()
    if len(values) != len(labels) or len(set(values)) != len(values):
        return ()
    return tuple(
        Category(value, label.replace("_", " "))
        for value, label in zip(values, labels, strict=True)
    )


def _overview(
    name: str, dtype: np.dtype[np.generic], attributes: Mapping[str, Any], *, packed: bool
) -> Overview:
    if packed or dtype.kind == "f":
        return "mean"
    if "flag_masks" in attributes:
        return "nearest"
    said = " ".join(
        [name, *(str(attributes.get(key, "")) for key in ("units", "standard_name", "long_name"))]
    ).lower()
    classes = "flag_values" in attributes or any(word in said for word in _CLASS_WORDS)
    return "mode" if classes else "mean"


def _valid_range(
    dtype: np.dtype[np.generic], attributes: Mapping[str, Any], scale: float, offset: float
) -> tuple[float, float] | None:
    if "valid_range" in attributes:
        ends = numbers(attributes["valid_range"])
    elif "valid_min" in attributes and "valid_max" in attributes:
        ends = (*numbers(attributes["valid_min"]), *numbers(attributes["valid_max"]))
    else:
        return None
    if len(ends) != 2 or not np.isfinite(ends).all():
        return None
    if all(isinstance(end, int) for end in ends) or dtype.kind == "f":
        held = [_whole(end, dtype) if dtype.kind != "f" else end for end in ends]
        ends = tuple(end for end in held if end is not None)
        if len(ends) != 2:
            return None
        low, high = (float(end) * scale + offset for end in ends)
    else:
        low, high = (float(end) for end in ends)
    return (min(low, high), max(low, high)) if low != high else None
