"""Parts of a source: fields that share grid and axes, ranked and named, made into granules."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from dataclasses import field as made
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError

from datacube.errors import DatacubeError, SourceError
from datacube.ingest.geometry import Positions
from datacube.ingest.identity import Identity
from datacube.ingest.source import Granule, ReadOptions, SliceSource
from datacube.model.axis import Axis, IndexAxis, TimeAxis, is_vertical
from datacube.model.calendar import Calendar
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import Grid
from datacube.model.naming import base_id, part_ids


@dataclass(frozen=True, eq=False)
class Part:
    """Fields of a source that share grid and axes.

    Parameters
    ----------
    grid : Grid
    axes : tuple of Axis
        The further ones, without time.
    calendar : Calendar
    slices : tuple of SliceSource
        Any order; with ticks None there is one.
    fields : tuple of Field
    hint : str
        What tells it from its neighbours: level type or dimensions.
    bounds : int64, (slices, 2), ticks, optional
    time_name : str
        ``reference_time`` where the slices are runs of a forecast.
    positions : TiePoints or ReferenceableGrid, optional
        Where the bands' rows and columns lie, instead of on the grid.
    """

    grid: Grid
    axes: tuple[Axis, ...]
    slices: tuple[SliceSource, ...]
    fields: tuple[Field, ...]
    hint: str
    calendar: Calendar = "standard"
    bounds: NDArray[np.int64] | None = None
    time_name: str = "time"
    positions: Positions | None = None

    @property
    def vertical(self) -> bool:
        """Whether it has a vertical axis."""
        return any(is_vertical(axis) for axis in self.axes)

    @property
    def timed(self) -> bool:
        """Whether its slices have an instant."""
        return self.slices[0].ticks is not None


@dataclass(frozen=True, slots=True)
class Origin:
    """What the parts of one source have in common.

    Parameters
    ----------
    path : Path
    id : str or Identity
        Of the granule, for the journal.
    title, abstract, attribution, licence : str
    warnings : tuple of str
        What of the source is left out, a sentence each.
    processor : str
        Program and version, or processing baseline, that made it.
    attributes : mapping of str to str
        What the source says of itself, by which a recipe may place it.
    """

    path: Path
    id: str | Identity
    title: str = ""
    abstract: str = ""
    attribution: str = ""
    licence: str = ""
    warnings: tuple[str, ...] = ()
    processor: str = ""
    attributes: Mapping[str, str] = made(default_factory=dict)


_SAID = CPLE_BaseError, OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever a library says of a file becomes a SourceError that names it.

    Raises
    ------
    SourceError
        Instead of OSError, ValueError and the like.
    """
    try:
        yield
    except SourceError as error:
        raise SourceError(error.message, subject=str(path)) from error
    except DatacubeError as error:
        raise SourceError(f"{path.name}: {error.message}", subject=str(path)) from error
    except _SAID as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"cannot be read: {words[:300]}", subject=str(path)) from error


@contextmanager
def opening(
    path: Path, read: Callable[[ExitStack], tuple[Granule, ...]]
) -> Iterator[tuple[Granule, ...]]:
    """The granules that a function makes of a source, readable within the context.

    Parameters
    ----------
    path : Path
    read : function of the stack on which it puts the files that it opens

    Raises
    ------
    SourceError
        Whatever the function says.
    """
    with ExitStack() as stack:
        with reading(path):
            granules = read(stack)
        yield granules


def granules_of(
    parts: Sequence[Part], origin: Origin, options: ReadOptions, default_id: str = ""
) -> tuple[Granule, ...]:
    """Granules of a source's parts, the main one first, with ids by the naming rule."""
    ranked = sorted(parts, key=_rank)
    main = ranked[0]
    base = options.cube or default_id or base_id(stem(origin.path))
    ids = part_ids(base, [_suffix(part, main) for part in ranked])
    return tuple(_granule(part, origin, cube_id) for part, cube_id in zip(ranked, ids, strict=True))


def stem(path: Path) -> str:
    """A file's name without the extensions that its format gives it.

    Examples
    --------
    >>> stem(Path("GFS_20120515_1200.grib2.nc")), stem(Path("fv02.0.nc4"))
    ('GFS_20120515_1200', 'fv02.0')
    """
    known = (".nc", ".nc4", ".cdf", ".netcdf", ".grib", ".grib1", ".grib2", ".grb", ".grb2")
    images = (".tif", ".tiff", ".jp2", ".cog", ".safe", ".zip", ".gz")
    name = path.name
    while name.lower().endswith((*known, *images)) and "." in name[1:]:
        name = name.rpartition(".")[0]
    return name


def _rank(part: Part) -> tuple[bool, int, int]:
    labelled = sum(isinstance(axis, IndexAxis) for axis in part.axes)
    return not part.vertical, labelled, -len(part.fields)


def _suffix(part: Part, main: Part) -> str:
    if main.timed and not part.timed:
        return "static"
    if not part.axes and main.vertical:
        return "2d"
    return "-".join(axis.name for axis in part.axes) or part.hint


def _only_title(part: Part) -> str:
    """Title of the one field that there is; where a source names nothing, its cube is called so."""
    return part.fields[0].title if len(part.fields) == 1 else ""


def _granule(part: Part, origin: Origin, cube_id: str) -> Granule:
    ordered = sorted(part.slices, key=lambda one: one.ticks or 0)
    axes = part.axes
    if part.timed:
        ticks = np.array([one.ticks for one in ordered], np.int64)
        if (np.diff(ticks) == 0).any():
            raise SourceError("the time axis repeats an instant", subject=str(origin.path))
        axes = (TimeAxis(part.time_name, ticks, part.calendar, _bounds(part)), *axes)
    description = CoverageDescription(
        cube_id,
        origin.title or _only_title(part) or cube_id,
        origin.abstract,
        DomainSet(part.grid, axes),
        RangeType(part.fields),
        attribution=origin.attribution,
        licence=origin.licence,
    )
    return Granule(
        origin.id,
        origin.path.name,
        cube_id,
        description,
        tuple(ordered),
        origin.warnings,
        origin.processor,
        part.positions,
        origin.attributes,
    )


def _bounds(part: Part) -> NDArray[np.int64] | None:
    if part.bounds is None:
        return None
    return part.bounds[np.argsort([one.ticks or 0 for one in part.slices], kind="stable")]


def merged(bands: Sequence[Mapping[str, object]]) -> bool:
    """Whether no name occurs twice.

    Examples
    --------
    >>> merged([{"t": 1}, {"u": 2}]), merged([{"t": 1}, {"t": 2}])
    (True, False)
    """
    names = [name.lower() for one in bands for name in one]
    return len(set(names)) == len(names)
