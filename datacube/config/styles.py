"""Models of ``styles/*.yaml`` and of the styles written into a cube's file."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from datacube.algebra.text import parse
from datacube.config.base import (
    Color,
    ColormapName,
    Ends,
    Model,
    Name,
    OpenEnds,
    Percentiles,
    each_above,
)
from datacube.errors import InvalidExpression
from datacube.render.drawn import MOST_LEVELS
from datacube.render.ramp import MOST_BANDS


class _Named(Model):
    """What every style has."""

    type: str
    name: Name = Field("", description="Name in requests; the file's name where not given.")
    title: str = Field("", description="For people; the name where not given.")


class _OfField(_Named):
    field: str = Field("", description="Field of the cube; any field where not given.")


class ColorsModel(Model):
    """Colours of values: of a ramp, or under what is drawn."""

    colormap: ColormapName = Field("viridis", description="Matplotlib or cmocean colour map.")
    range: OpenEnds = Field(
        (None, None), description="Physical values at its ends; null is found from the field."
    )
    percentiles: Percentiles | None = Field(
        None,
        description="Open ends of the range are these percentiles of the whole cube's values, "
        "where they are known: [2, 98].",
    )
    log: bool = Field(default=False, description="Logarithmic between the ends.")
    bands: Annotated[int, Field(ge=1, le=MOST_BANDS)] | None = Field(
        None, description="That many steps of one colour each; smooth where not given."
    )
    below: Color | None = Field(None, description="Colour below the range; that of its end.")
    above: Color | None = Field(None, description="Colour above the range; that of its end.")
    missing: Color = Field("transparent", description="Colour where there is no value.")
    opacity: float = Field(1.0, ge=0, le=1, description="0 is invisible, 1 opaque.")

    @model_validator(mode="after")
    def _log_above_zero(self) -> Self:
        if self.log and self.range[0] is not None and self.range[0] <= 0:
            raise ValueError(f"a logarithmic range begins above zero, not at {self.range[0]:g}")
        return self


class RampModel(ColorsModel, _OfField):
    """Values of one field, or of an expression, along a colour map."""

    type: Literal["ramp"] = Field(description="Kind of style.")
    expression: str = Field(
        "", description="Band maths that is drawn instead of a field (docs/expressions.md)."
    )

    @field_validator("expression")
    @classmethod
    def _readable(cls, text: str) -> str:
        if text:
            try:
                parse(text)
            except InvalidExpression as error:
                raise ValueError(error.message) from error
        return text


class HillshadeModel(_OfField):
    """Relief of one field, lit from one side."""

    type: Literal["hillshade"] = Field(description="Kind of style.")
    azimuth: float = Field(
        315.0, ge=0, le=360, description="Where the light comes from, clockwise from the top."
    )
    altitude: float = Field(45.0, gt=0, le=90, description="Degrees of the light above level.")
    exaggeration: float = Field(
        1.0, gt=0, description="Metres that one unit of the field stands for; 1 for heights."
    )
    ramp: ColorsModel | None = Field(
        None, description="Colours under the relief; a gray relief where not given."
    )


class ContoursModel(_OfField):
    """Lines of equal value of one field."""

    type: Literal["contours"] = Field(description="Kind of style.")
    interval: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Lines at its multiples; a round one from the range where not given."
    )
    levels: Annotated[tuple[float, ...], AfterValidator(each_above)] = Field(
        (), max_length=MOST_LEVELS, description="Lines at these values only, ascending."
    )
    unit: str = Field(
        "", description="Unit of interval, levels and labels; the field's where not given."
    )
    color: Color = Field("#282828", description="Colour of lines and labels.")
    width: float = Field(1.0, gt=0, le=10, description="Width of the lines in pixels.")
    major: int = Field(5, ge=0, description="Every so many lines one is thicker; 0 is none.")
    labels: bool = Field(default=True, description="Values along the lines.")
    size: float = Field(11.0, ge=6, le=40, description="Size of the labels in pixels.")
    ramp: ColorsModel | None = Field(
        None, description="Colours under the lines; transparent where not given."
    )


class ArrowsModel(_Named):
    """Arrows or wind barbs of a vector with two components."""

    type: Literal["arrows"] = Field(description="Kind of style.")
    u: str = Field(description="Field of the first component.")
    v: str = Field(description="Field of the second component.")
    kind: Literal["arrows", "barbs"] = Field(
        "arrows", description="Arrows, or barbs of half 5, full 10, flag 50 knots."
    )
    along: Literal["north", "grid"] = Field(
        "north",
        description="Whether the components go to the east and north or along the cube's grid.",
    )
    spacing: float = Field(32.0, ge=8, le=512, description="Pixels between neighbours.")
    size: float = Field(24.0, ge=6, le=128, description="Pixels of the longest arrow or the staff.")
    color: Color = Field("#282828", description="Colour of the glyphs.")
    ramp: ColorsModel | None = Field(
        None, description="Colours by speed; none where not given. Its open low end is 0."
    )
    coloring: Literal["background", "glyphs"] = Field(
        "background", description="What the ramp colours."
    )


class ClassModel(Model):
    """One class of a categorical field."""

    value: int = Field(description="Stored value.")
    label: str = Field("", description="For the legend; the value where not given.")
    color: Color | None = Field(None, description="#rrggbb; one of tab20 where not given.")


class CategoriesModel(Model):
    """One colour for each class of a categorical field."""

    type: Literal["categories"] = Field(description="Kind of style.")
    name: Name = Field("", description="Name in requests; the file's name where not given.")
    title: str = Field("", description="For people; the name where not given.")
    field: str = Field("", description="Field of the cube; any field where not given.")
    classes: Annotated[tuple[ClassModel, ...], Field(min_length=1, max_length=255)] = Field(
        description="The classes; other values are transparent."
    )


class ChannelModel(Model):
    """One channel of a composite."""

    field: str = Field(description="Field of the cube.")
    range: Ends = Field((0.0, 1.0), description="Physical values shown black and bright.")
    gamma: float = Field(1.0, gt=0, description="Above 1 brightens the middle.")
    percentiles: Percentiles | None = Field(
        None,
        description="The range is these percentiles of the whole cube's values, where they are "
        "known: [2, 98].",
    )


class CompositeModel(Model):
    """Three fields as red, green and blue."""

    type: Literal["composite"] = Field(description="Kind of style.")
    name: Name = Field("", description="Name in requests; the file's name where not given.")
    title: str = Field("", description="For people; the name where not given.")
    red: ChannelModel = Field(description="What is shown red.")
    green: ChannelModel = Field(description="What is shown green.")
    blue: ChannelModel = Field(description="What is shown blue.")


class SldModel(_OfField):
    """A RasterSymbolizer in a document of SLD 1.0 or 1.1, such as QGIS exports."""

    type: Literal["sld"] = Field(description="Kind of style.")
    file: str = Field(
        min_length=1, description="The document, relative to this file; within the configuration."
    )
    style: str = Field(
        "", description="Name of its UserStyle; the default or first one where not given."
    )


type StyleModel = Annotated[
    RampModel
    | CategoriesModel
    | CompositeModel
    | HillshadeModel
    | ContoursModel
    | ArrowsModel
    | SldModel,
    Field(discriminator="type"),
]

STYLE_MODELS = (
    RampModel,
    CategoriesModel,
    CompositeModel,
    HillshadeModel,
    ContoursModel,
    ArrowsModel,
    SldModel,
)


def _kind(value: object) -> str | None:
    """Which branch of a cube's list of styles an item takes."""
    if isinstance(value, str):
        return "by name"
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return kind if isinstance(kind, str) else None


type ListedStyle = Annotated[
    Annotated[str, Tag("by name")]
    | Annotated[RampModel, Tag("ramp")]
    | Annotated[CategoriesModel, Tag("categories")]
    | Annotated[CompositeModel, Tag("composite")]
    | Annotated[HillshadeModel, Tag("hillshade")]
    | Annotated[ContoursModel, Tag("contours")]
    | Annotated[ArrowsModel, Tag("arrows")]
    | Annotated[SldModel, Tag("sld")],
    Discriminator(_kind),
]
