"""Model of ``recipes/*.yaml``: how a product becomes a cube."""

import re
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from datacube.config.base import Ends, Model, Name
from datacube.errors import DatacubeError
from datacube.model.crs import Crs
from datacube.model.fields import Overview
from datacube.model.query import Interpolation
from datacube.model.time import Timestamp

type Positive = Annotated[float, Field(gt=0)]
type Dtype = Literal["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"]

_OWN = ("title", "summary", "attribution", "license", "history", "Conventions")


def _free(value: str) -> str:
    if value in _OWN or value in {"multiscales", "zarr_conventions"}:
        raise ValueError(f"{value} is said by the cube itself")
    return value


type AttributeName = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$"), AfterValidator(_free)
]


def _instant(value: str) -> str:
    try:
        Timestamp.parse(value)
    except DatacubeError as error:
        raise ValueError(error.message) from error
    return value


def _crs(value: str) -> str:
    try:
        Crs.parse(value)
    except DatacubeError as error:
        raise ValueError(error.message) from error
    return value


def _even(value: int) -> int:
    if value % 2:
        raise ValueError(f"the side of a chunk is even, not {value}")
    return value


def _one_kind(model: "MaskModel") -> "MaskModel":
    said = [model.range is not None, bool(model.values), bool(model.bits)]
    if sum(said) != 1:
        raise ValueError("a mask says range, values or bits, one of them")
    return model


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"no pattern: {error}") from error
    return value


def _one_place(model: "AxisModel") -> "AxisModel":
    said = [one is not None for one in (model.label, model.attribute, model.file)]
    if sum(said) != 1:
        raise ValueError("an axis says label, attribute or file, one of them")
    return model


def _right_unit(model: "FieldRecipeModel") -> "FieldRecipeModel":
    if model.wrong_unit is not None and model.unit is None:
        raise ValueError("beside wrong_unit the right one is said by unit")
    return model


def _stored(model: "FieldRecipeModel") -> "FieldRecipeModel":
    """See that what is said of packing goes together."""
    packing = {"scale", "offset", "no_data"} & model.model_fields_set
    if model.dtype is None or model.dtype.startswith("float"):
        if packing:
            raise ValueError(f"{min(packing)} is said beside a dtype of whole numbers")
        return model
    if model.keep_bits is not None:
        raise ValueError("keep_bits is of floats")
    ends = np.iinfo(model.dtype)
    if model.no_data is not None and not ends.min <= model.no_data <= ends.max:
        raise ValueError(f"no_data is none of {model.dtype}, {ends.min} to {ends.max}")
    return model


class TargetModel(Model):
    """The grid that every source is brought to."""

    crs: Annotated[str, AfterValidator(_crs)] | None = Field(
        None, description="Its CRS; that of the source where not given."
    )
    resolution: Positive | tuple[Positive, Positive] = Field(
        description="Side of a cell in units of the CRS, or width and height."
    )
    box: tuple[float, float, float, float] | None = Field(
        None,
        description="Left, bottom, right and top; the source's own extent where not given.",
    )


class MaskModel(Model):
    """A quality field that says which cells are kept."""

    field: str = Field(description="Name of the quality field in the source.")
    range: tuple[float | None, float | None] | None = Field(
        None, description="Lowest and highest physical value that is kept; null leaves it open."
    )
    values: tuple[int, ...] = Field((), description="Classes that are kept.")
    bits: tuple[Annotated[int, Field(ge=0, lt=64)], ...] = Field(
        (), description="Numbers of bits, from 0; cells in which one is set are left out."
    )

    _checked = model_validator(mode="after")(_one_kind)


class MosaicModel(Model):
    """How sources that meet in one slice are put together."""

    by: Literal["time", "day"] = Field(
        "day",
        description="What meets: sources of one instant, or of one solar day at their place.",
    )
    rule: Literal["first", "last", "min", "max"] = Field(
        "first",
        description="What stays where sources overlap: what was there first, what came last, or "
        "the smaller or larger value of each field.",
    )


class FieldRecipeModel(Model):
    """One field that is wanted."""

    source: str = Field(description="Its name in the source.")
    name: Name | None = Field(None, description="Its name in the cube.")
    title: str | None = Field(None, description="For people.")
    unit: str | None = Field(
        None,
        description="Unit of its values, which are not converted: the source's own in this "
        "spelling; one that means something else is refused.",
    )
    wrong_unit: str | None = Field(
        None, description="What the source says instead of the unit, where that is wrong."
    )
    standard_name: str | None = Field(None, description="CF standard name.")
    overview: Overview | None = Field(None, description="How coarser levels are made.")
    range: Ends | None = Field(None, description="Physical values at the ends of its colours.")
    resampling: Interpolation | None = Field(
        None, description="How it is brought to another grid; nearest where not given."
    )
    optional: bool = Field(
        False, description="Sources may lack it, as long as they have another field of the list."
    )
    dtype: Dtype | None = Field(
        None,
        description="Type in which it is stored, whatever the sources' packing: whole numbers, "
        "packed by scale and offset, or floats of physical values; that of the first source where "
        "not given.",
    )
    scale: Positive = Field(1.0, description="Step of whole numbers, in its unit.")
    offset: float = Field(0.0, description="The value for which 0 is stored.")
    no_data: int | None = Field(
        None,
        description="Whole number for no data; the smallest where not given, of unsigned types the "
        "largest.",
    )
    keep_bits: Annotated[int, Field(ge=1, le=52)] | None = Field(
        None,
        description="Round floats to so many bits of their mantissa: 7 keep two decimal digits, "
        "10 keep three, and compress better.",
    )

    _checked = model_validator(mode="after")(_right_unit)
    _packed = model_validator(mode="after")(_stored)


class AxisModel(Model):
    """An axis on which a source has one place, by label."""

    name: Name = Field(description="Its name: scenario, model, realization …")
    title: str = Field("", description="For people.")
    label: str | None = Field(None, min_length=1, description="The place of every source.")
    attribute: str | None = Field(
        None, description="Attribute, scalar coordinate or GRIB key whose value is the place."
    )
    file: Annotated[str, AfterValidator(_pattern)] | None = Field(
        None, description="Pattern of the source's name; its first group, else all, is the place."
    )

    _checked = model_validator(mode="after")(_one_place)


class CalibrationModel(Model):
    """What the amplitudes of Sentinel-1 become, by the annotations of the product."""

    quantity: Literal["sigma0", "beta0", "gamma0"] = Field(
        "sigma0", description="What the backscatter refers to."
    )
    decibel: bool = Field(
        False, description="10 log10 of it, taken after it was brought to the grid; else linear."
    )
    noise: bool = Field(True, description="Subtract the thermal noise.")


class RecipeModel(Model):
    """How a product becomes a cube; what is not given, the source says."""

    name: Name = Field("", description="Name of the recipe; the file's name where not given.")
    cube: Name | None = Field(None, description="Base of the cube ids.")
    title: str | None = Field(None, description="For people.")
    abstract: str | None = Field(None, description="What the cube is.")
    attribution: str | None = Field(None, description="Whom the data are credited to.")
    licence: str | None = Field(None, description="Licence of the data.")
    fields: tuple[FieldRecipeModel, ...] = Field(
        (), description="The wanted fields in their order; all where not given."
    )
    time: Annotated[str, AfterValidator(_instant)] | None = Field(
        None, description="ISO 8601 instant of sources that hold one, whatever they say of it."
    )
    crs: Annotated[str, AfterValidator(_crs)] | None = Field(
        None, description="CRS of a projected grid that names none: EPSG:27700."
    )
    chunk: Annotated[int, Field(gt=0), AfterValidator(_even)] | None = Field(
        None, description="Side of a chunk in cells; even."
    )
    series: bool | Annotated[int, Field(ge=2, strict=True)] = Field(
        False,
        description="Keep a second copy for series along time: true, or the times in a segment.",
    )
    storage: Literal["plain", "icechunk"] = Field(
        "plain", description="Make new cubes as plain Zarr groups or as Icechunk repositories."
    )
    grid: TargetModel | None = Field(
        None, description="The grid that sources are brought to; their own where not given."
    )
    masks: tuple[MaskModel, ...] = Field((), description="Which cells are kept; all must agree.")
    mosaic: MosaicModel | None = Field(
        None, description="Put sources into one slice; a later one replaces it where not given."
    )
    swath: Literal["map", "own"] = Field(
        "map",
        description="To a map grid, or as they are with a position for each pixel.",
    )
    forecast: bool = Field(
        False, description="Make the run and the step axes even of a file with one run."
    )
    axes: tuple[AxisModel, ...] = Field(
        (), description="Axes on which a source has one place; others are added as they come."
    )
    calibration: CalibrationModel | None = Field(
        None, description="Backscatter of Sentinel-1; amplitudes as stored where not given."
    )
    attributes: dict[AttributeName, str | float | int] = Field(
        {},
        description="Further attributes of a new cube, as CF and ACDD have them: institution, "
        "references, keywords …",
    )
