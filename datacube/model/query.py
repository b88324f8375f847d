"""Queries: what every protocol's request becomes.

Protocol code decodes to one of these, calls one engine function and encodes the result.
"""

from dataclasses import dataclass
from typing import Literal

from datacube.model.crs import Crs
from datacube.model.geometry import Path, Region
from datacube.model.grid import RectifiedGrid
from datacube.model.restyle import Restyle
from datacube.model.symbolizer import RasterSymbolizer
from datacube.model.time import TimePoint, TimeRange

type Point = float | TimePoint | str
type SelectionRule = Literal["cells", "nearest", "inside", "strict-inside", "outside"]
type Interpolation = Literal[
    "nearest", "bilinear", "cubic", "average", "mode", "min", "max", "med", "q1", "q3"
]


@dataclass(frozen=True, slots=True)
class Trim:
    """Keep an axis from low to high; None is the axis' end.

    Parameters
    ----------
    axis : str, as the client calls it
    low, high : number, Timestamp, label or None
    crs : Crs of the numbers on a horizontal axis; None is the coverage's own
    rule : which places between low and high are meant
        ``cells``, the standard's: every cell that the interval overlaps on x and y, every place
        within it on other axes; or ``nearest``, ``inside``, ``strict-inside``, ``outside`` of
        centres.
    """

    axis: str
    low: Point | None
    high: Point | None
    crs: Crs | None = None
    rule: SelectionRule = "cells"


@dataclass(frozen=True, slots=True)
class Slice:
    """Keep one place of an axis and drop the axis.

    Parameters
    ----------
    axis : str, as the client calls it
    point : number, Timestamp, ``"latest"`` or label
    """

    axis: str
    point: Point
    crs: Crs | None = None


@dataclass(frozen=True, slots=True)
class Several:
    """Keep some places of an axis other than x and y, in the order of the axis.

    Parameters
    ----------
    axis : str, as the client calls it
    parts : Slice or Trim of that axis, at least one; what any of them takes
    lenient : bool
        Whether slices that lie on no place are left out, as long as one does.
    """

    axis: str
    parts: tuple[Slice | Trim, ...]
    lenient: bool = False


type Subset = Trim | Slice
type AxisSubset = Subset | Several


@dataclass(frozen=True, slots=True)
class ScaleFactor:
    """Multiply the number of cells of every horizontal axis."""

    factor: float


@dataclass(frozen=True, slots=True)
class ScaleSize:
    """Number of columns and rows of the answer."""

    width: int
    height: int


type Scaling = ScaleFactor | ScaleSize


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Places of axes made one: in all, or the steps of time by periods or rolling windows.

    Parameters
    ----------
    axes : tuple of str, as the client calls them; empty is time
    methods : tuple of str, ``mean``, ``count``, ``p95`` …
        The answer has each field by each method; several are told apart by their names.
    every : str
        ``hour``, ``day``, ``pentad``, ``dekad``, ``month``, ``season``, ``year`` or a duration
        (``P10D``); empty is all.
    window : str
        A number of steps, or a duration: one result for each step, of the window that ends there.
    by : str
        Expression that ranks the steps of a mosaic, the lowest best; empty is the cube's own.
    """

    axes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("mean",)
    every: str = ""
    window: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CoverageQuery:
    """A part of a coverage: WCS GetCoverage, OGC API Coverages.

    Parameters
    ----------
    coverage : str, cube id
    subsets : at most one for each axis; several places of x or y are none
    fields : names in the wanted order; empty is all
    scaling : factor or size of the answer
    aggregate : Aggregate, after trimming
    interpolation : how values between cells are found where the answer is scaled or reprojected
    output_crs : Crs of the answer; None is the coverage's own
    clip : Region, optional
        Cells whose centre is outside have no data.
    grid : RectifiedGrid, optional
        Exactly the cells of the answer, in its CRS, in place of trims of x and y, a scaling and an
        output CRS; those beside the coverage have no data.
    mask : str
        Expression over the coverage's fields that is true where stored values are kept; where it
        is not, or has no value, there is no data. Steps are aggregated and cells resampled after.
    """

    coverage: str
    subsets: tuple[AxisSubset, ...] = ()
    fields: tuple[str, ...] = ()
    scaling: Scaling | None = None
    aggregate: Aggregate | None = None
    interpolation: Interpolation = "nearest"
    output_crs: Crs | None = None
    clip: Region | None = None
    grid: RectifiedGrid | None = None
    mask: str = ""


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """Time on a map: an instant, the latest, or a range (its most recent valid pixels).

    Parameters
    ----------
    when : Timestamp, "latest" or TimeRange
    """

    when: TimePoint | TimeRange


@dataclass(frozen=True, slots=True)
class LayerRequest:
    """One layer of a map.

    Parameters
    ----------
    layer : str, layer name: ``cube`` or ``cube.field``
    style : str, empty for the default
    time : TimeChoice or None (the layer's default)
    places : Slice of further axes (elevation, members); the first place where not given
        A Trim takes a range of them, which an aggregate makes one.
    aggregate : str
        How the steps of a time range, and the places of other ranges, become one picture:
        ``mean``, ``max``, ``p95`` …; empty is the most recent valid value of each pixel.
    every : str
        With an aggregate: the period whose steps the time stands for, ``month``, ``P10D``.
    window : str
        With an aggregate: so many steps, or a duration, that end with the time.
    by : str
        Expression that ranks the steps of a mosaic, the lowest best; empty is the cube's own.
    run : TimeChoice, optional
        Of a forecast: the one run that is shown, not the newest that has the time.
    lead : float, optional
        Of a forecast: the time since the start of the run, in the unit of its axis.
    expression : str
        Band maths drawn in place of the style's field: ``(nir - red) / (nir + red)``.
    interpolation : how values between cells are found
    restyle : Restyle or RasterSymbolizer, optional
        What changes in the style, or what takes its place.
    mask : str
        Expression that is true where values are kept.
    """

    layer: str
    style: str = ""
    time: TimeChoice | None = None
    places: tuple[Subset, ...] = ()
    aggregate: str = ""
    expression: str = ""
    interpolation: Interpolation = "nearest"
    every: str = ""
    window: str = ""
    by: str = ""
    run: TimeChoice | None = None
    lead: float | None = None
    restyle: Restyle | RasterSymbolizer | None = None
    mask: str = ""


@dataclass(frozen=True, slots=True)
class MapQuery:
    """A picture: WMS GetMap, WMTS GetTile, OGC API Maps and Tiles.

    Parameters
    ----------
    layers : first is drawn first (lowest)
    grid : RectifiedGrid, one cell a pixel
    background : (red, green, blue), 0 … 255
    transparent : bool
    """

    layers: tuple[LayerRequest, ...]
    grid: RectifiedGrid
    background: tuple[int, int, int] = (255, 255, 255)
    transparent: bool = False


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Values at one place: GetFeatureInfo, a position.

    Parameters
    ----------
    layers : which layers, with their time and other places
    x, y : float, in crs, x before y
    crs : Crs
    """

    layers: tuple[LayerRequest, ...]
    x: float
    y: float
    crs: Crs


@dataclass(frozen=True, slots=True)
class LineQuery:
    """Values at places or along a line: a transect, a trajectory, a series at stations.

    Each place has the value of the cell that holds it.

    Parameters
    ----------
    coverage : str, cube id
    path : Path
        One with times or heights has at each place the nearest step or level.
    subsets : of axes other than x and y; every place of an axis where none is given
    fields : names; empty is all
    """

    coverage: str
    path: Path
    subsets: tuple[Subset, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AreaQuery:
    """What the values within a region sum up to, at each place of the other axes.

    A cell counts wholly where its centre is inside.

    Parameters
    ----------
    coverage : str, cube id
    region : Region
    method : str, ``mean``, ``max``, ``count``, ``p95`` …
    subsets : of axes other than x and y; every place of an axis where none is given
    fields : names; empty is all
    """

    coverage: str
    region: Region
    method: str = "mean"
    subsets: tuple[Subset, ...] = ()
    fields: tuple[str, ...] = ()
