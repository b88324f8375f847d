"""Model of ``cubes/*.yaml``: overrides for the cubes of the store."""

from pydantic import Field

from datacube.config.base import ColormapName, Ends, Model, Name
from datacube.config.inspire import MetadataLinkModel
from datacube.config.server import TimeModel
from datacube.config.settings import LevelPolicy
from datacube.config.styles import ListedStyle

_LEVELS = LevelPolicy()


class FieldModel(Model):
    """Overrides for a field."""

    title: str | None = Field(None, description="For people.")
    unit: str | None = Field(None, description="Unit of its values, where the source is wrong.")
    range: Ends | None = Field(None, description="Physical values at the ends of its colours.")
    colormap: ColormapName | None = Field(None, description="Colour map of its default style.")
    log: bool = Field(default=False, description="Its default style is logarithmic.")


class LevelsModel(Model):
    """The vertical axis."""

    nearest: bool = Field(
        _LEVELS.nearest, description="Whether the nearest level is taken; false is exact."
    )
    several: bool = Field(
        _LEVELS.several,
        description="Whether a list or a range of levels (`ELEVATION=0/100,500`) without AGG draws "
        "one over the other, the last on top.",
    )
    default: float | Ends | None = Field(
        _LEVELS.default,
        description="Level that is shown without one, or, with `several`, a range of them; the "
        "first where not given.",
    )
    crs: str = Field(
        _LEVELS.crs,
        description="Vertical CRS that WMS names as the units of the dimension (CRS:88).",
    )


class DimensionsModel(Model):
    """Overrides for axes."""

    time: TimeModel | None = Field(None, description="What other times than the steps mean.")
    elevation: LevelsModel = Field(
        LevelsModel(), description="What other heights or depths than the levels mean."
    )


class CubeModel(Model):
    """Overrides for a cube."""

    id: Name = Field("", description="Cube id; the file's name where not given.")
    title: str | None = Field(None, description="For people.")
    abstract: str | None = Field(None, description="What the cube is.")
    attribution: str | None = Field(None, description="Whom its data are credited to.")
    licence: str | None = Field(None, description="Licence of the data.")
    hidden: bool = Field(default=False, description="Not published.")
    cloudiness: str = Field(
        "",
        description="Expression of its fields that `AGG=leastcloudy` ranks the steps of each "
        "pixel by: the lowest is the best.",
    )
    styles: tuple[ListedStyle, ...] = Field(
        (),
        description="Names of styles, or styles written here; they come before those that every "
        "cube has, the first is the default.",
    )
    fields: dict[str, FieldModel] = Field({}, description="Overrides for fields, by name.")
    dimensions: DimensionsModel = Field(DimensionsModel(), description="Overrides for its axes.")
    metadata: tuple[MetadataLinkModel, ...] = Field(
        (),
        description="Metadata records of the cube, which WMS names beside its OGC API collection.",
    )
