"""What every configuration model has in common, and the small types of their values."""

import re
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from datacube.errors import DatacubeError
from datacube.model.time import Period
from datacube.render.colormap import canonical
from datacube.render.style import Rgba, color

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]i?)?B?")
_POWERS = {"": 0, "k": 1, "M": 2, "G": 3, "T": 4}
_DAYS_OF_MONTH = 30.4375


class Model(BaseModel):
    """A part of a file: frozen, and no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def byte_size(value: object) -> object:
    """Number of bytes of ``512 MB`` (powers of 1000) or ``512 MiB`` (of 1024).

    Examples
    --------
    >>> byte_size("256 MiB"), byte_size("1.5 kB"), byte_size(42)
    (268435456, 1500, 42)
    """
    if not isinstance(value, str):
        return value
    if (found := _SIZE.fullmatch(value.strip())) is None:
        raise ValueError(f"'{value}' is no size: write a number of bytes, 512 MB or 512 MiB")
    prefix = found[2] or ""
    base = 1024 if prefix.endswith("i") else 1000
    return int(float(found[1]) * base ** _POWERS[prefix.rstrip("i")])


def milliseconds(value: str) -> str:
    """The duration itself, once it is known to be one."""
    duration_ms(value)
    return value


def duration_ms(value: str) -> int:
    """Milliseconds of an ISO 8601 duration; a month is the twelfth of a year.

    Examples
    --------
    >>> duration_ms("PT6H"), duration_ms("P1M")
    (21600000, 2629800000)
    """
    try:
        period = Period.parse(value)
    except DatacubeError as error:
        raise ValueError(error.message) from error
    return period.ms + round(period.months * _DAYS_OF_MONTH * 86_400_000)


def _color(value: str) -> str:
    rgba(value)
    return value


def rgba(value: str) -> Rgba:
    """Red, green, blue, alpha of a colour as it is written in a file."""
    try:
        return color(value)
    except DatacubeError as error:
        raise ValueError(error.message) from error


def _colormap(value: str) -> str:
    try:
        return canonical(value)
    except DatacubeError as error:
        raise ValueError(error.message.partition("; the colour maps are")[0]) from error


def _ascending(value: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = value
    if low is not None and high is not None and not low < high:
        raise ValueError(f"the range {low:g} … {high:g} is empty: the lower end comes first")
    return value


def each_above(value: tuple[float, ...]) -> tuple[float, ...]:
    """The numbers themselves, once each is known to be above the one before it."""
    for one, other in pairwise(value):
        if not one < other:
            raise ValueError(f"the values ascend, but {other:g} comes after {one:g}")
    return value


type Size = Annotated[
    int, BeforeValidator(byte_size, json_schema_input_type=int | str), Field(gt=0)
]
type Duration = Annotated[str, AfterValidator(milliseconds)]
type Color = Annotated[str, AfterValidator(_color)]
type ColormapName = Annotated[str, AfterValidator(_colormap)]
type Ends = Annotated[tuple[float, float], AfterValidator(_ascending)]
type OpenEnds = Annotated[tuple[float | None, float | None], AfterValidator(_ascending)]
type Share = Annotated[float, Field(ge=0, le=100)]
type Percentiles = Annotated[tuple[Share, Share], AfterValidator(_ascending)]
type Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
type Count = Annotated[int, Field(gt=0)]
