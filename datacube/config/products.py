"""How products become cubes, as recipes say it: what ``recipes/*.yaml`` is read into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from datacube.model.fields import Overview
from datacube.model.query import Interpolation


@dataclass(frozen=True, slots=True)
class StoredAs:
    """How a field is stored, whatever its source does.

    Parameters
    ----------
    dtype : numpy name: whole numbers, or floats of physical values; None as in the source
    scale, offset : float, of whole numbers: physical = stored * scale + offset
    nil : int, whole number for no data; None for the smallest, or largest of unsigned ones
    keep_bits : int, how many bits of the mantissa of floats are kept; None keeps all
    """

    dtype: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    nil: int | None = None
    keep_bits: int | None = None


@dataclass(frozen=True, slots=True)
class FieldRecipe:
    """One field that an ingest wants; None is as in the source.

    Parameters
    ----------
    source : str, its name in the source
    name : str, its name in the cube
    title, uom, standard_name : str
    wrong_uom : str, what the source says instead of ``uom`` where that is wrong
    overview : how coarser levels are made
    valid_range : (low, high), physical, for colours
    resampling : how it is brought to another grid
    optional : bool, whether sources may lack it
    stored : StoredAs, where it is not stored as in the source
    """

    source: str
    name: str | None = None
    title: str | None = None
    uom: str | None = None
    standard_name: str | None = None
    overview: Overview | None = None
    valid_range: tuple[float, float] | None = None
    resampling: Interpolation | None = None
    wrong_uom: str | None = None
    optional: bool = False
    stored: StoredAs | None = None


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """The grid that an ingest brings its sources to.

    Parameters
    ----------
    resolution : (width, height) of a cell in units of the CRS
    crs : str, that of the source where None
    box : (left, bottom, right, top) in the CRS, the source's extent where None
    """

    resolution: tuple[float, float]
    crs: str | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """Which cells are kept, by a quality field of the source.

    Parameters
    ----------
    field : str
    low, high : float, physical values that are kept, with the ends; None is open
    values : tuple of int, classes that are kept; empty for all
    bits : tuple of int, of which none may be set
    """

    field: str
    low: float | None = None
    high: float | None = None
    values: tuple[int, ...] = ()
    bits: tuple[int, ...] = ()


type MosaicRule = Literal["first", "last", "min", "max"]


@dataclass(frozen=True, slots=True)
class MosaicSettings:
    """How sources that meet in one slice are put together.

    Parameters
    ----------
    by : ``time`` (the same instant) or ``day`` (the same solar day)
    rule : what stays where they overlap
    """

    by: Literal["time", "day"] = "day"
    rule: MosaicRule = "first"


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """What amplitudes of a radar become.

    Parameters
    ----------
    quantity : what backscatter refers to: the ground, the slant range, or across it
    decibel : bool, logarithmic instead of linear
    noise : bool, whether thermal noise is subtracted
    """

    quantity: Literal["sigma0", "beta0", "gamma0"] = "sigma0"
    decibel: bool = False
    noise: bool = True


@dataclass(frozen=True, slots=True)
class AxisSettings:
    """An axis on which a source has one place, by label; it says one of the last three.

    Parameters
    ----------
    name, title : str
    label : str, the place of every source
    attribute : str, of the source, whose value is the place
    file : str, a pattern of the source's name, whose first group is the place
    """

    name: str
    title: str = ""
    label: str | None = None
    attribute: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class RecipeSettings:
    """How a product becomes a cube; None is what the source says.

    Parameters
    ----------
    cube : str, base of the cube ids
    title, abstract, attribution, licence : str
    fields : tuple of FieldRecipe
        The wanted fields in their order; empty means all.
    time : str, ISO 8601 instant of sources that hold one, whatever they say of it
    crs : str, of a projected grid that names none
    chunk : int, side of a chunk in cells
    series : bool or int
        Whether a copy is kept whose chunks are long in time; the number of times in a segment.
    storage : "plain" or "icechunk"
        What new cubes are made as: plain Zarr groups or Icechunk repositories.
    grid : TargetSettings, the grid that sources are brought to
    masks : tuple of MaskSettings
    mosaic : MosaicSettings, where sources meet in one slice
    swath : whether swaths go to a map grid or keep a position for each pixel
    forecast : bool, whether the run and the step are axes in any case
    axes : tuple of AxisSettings, on which a source has one place
    calibration : CalibrationSettings, None keeps amplitudes as stored
    attributes : further attributes of a new cube, by name
    """

    cube: str | None = None
    title: str | None = None
    abstract: str | None = None
    attribution: str | None = None
    licence: str | None = None
    fields: tuple[FieldRecipe, ...] = ()
    time: str | None = None
    crs: str | None = None
    chunk: int | None = None
    series: bool | int = False
    storage: Literal["plain", "icechunk"] = "plain"
    grid: TargetSettings | None = None
    masks: tuple[MaskSettings, ...] = ()
    mosaic: MosaicSettings | None = None
    swath: Literal["map", "own"] = "map"
    forecast: bool = False
    axes: tuple[AxisSettings, ...] = ()
    calibration: CalibrationSettings | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)
