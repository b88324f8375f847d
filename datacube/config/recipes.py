"""Model of ``recipes/*.yaml``: how a product becomes a cube."""

from typing import Annotated

from pydantic import AfterValidator, Field

from datacube.config.base import Ends, Model, Name
from datacube.errors import DatacubeError
from datacube.model.crs import Crs
from datacube.model.fields import Overview
from datacube.model.time import Timestamp


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


class FieldRecipeModel(Model):
    """One field that is wanted."""

    source: str = Field(description="Its name in the source.")
    name: Name | None = Field(None, description="Its name in the cube.")
    title: str | None = Field(None, description="For people.")
    unit: str | None = Field(None, description="Unit of its values.")
    standard_name: str | None = Field(None, description="CF standard name.")
    overview: Overview | None = Field(None, description="How coarser levels are made.")
    range: Ends | None = Field(None, description="Physical values at the ends of its colours.")


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
        None, description="ISO 8601 instant of sources that hold one and do not say it."
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
