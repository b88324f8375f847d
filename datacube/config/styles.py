"""Models of ``styles/*.yaml`` and of the styles written into a cube's file."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from datacube.config.base import Color, ColormapName, Ends, Model, Name, OpenEnds


class RampModel(Model):
    """Values of one field along a colour map."""

    type: Literal["ramp"] = Field(description="Kind of style.")
    name: Name = Field("", description="Name in requests; the file's name where not given.")
    title: str = Field("", description="For people; the name where not given.")
    field: str = Field("", description="Field of the cube; any field where not given.")
    colormap: ColormapName = Field("viridis", description="Matplotlib or cmocean colour map.")
    range: OpenEnds = Field(
        (None, None), description="Physical values at its ends; null is found from the field."
    )
    log: bool = Field(default=False, description="Logarithmic between the ends.")
    below: Color | None = Field(None, description="Colour below the range; that of its end.")
    above: Color | None = Field(None, description="Colour above the range; that of its end.")
    missing: Color = Field("transparent", description="Colour where there is no value.")

    @model_validator(mode="after")
    def _log_above_zero(self) -> "RampModel":
        if self.log and self.range[0] is not None and self.range[0] <= 0:
            raise ValueError(f"a logarithmic range begins above zero, not at {self.range[0]:g}")
        return self


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


class CompositeModel(Model):
    """Three fields as red, green and blue."""

    type: Literal["composite"] = Field(description="Kind of style.")
    name: Name = Field("", description="Name in requests; the file's name where not given.")
    title: str = Field("", description="For people; the name where not given.")
    red: ChannelModel = Field(description="What is shown red.")
    green: ChannelModel = Field(description="What is shown green.")
    blue: ChannelModel = Field(description="What is shown blue.")


type StyleModel = Annotated[
    RampModel | CategoriesModel | CompositeModel, Field(discriminator="type")
]


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
    | Annotated[CompositeModel, Tag("composite")],
    Discriminator(_kind),
]
