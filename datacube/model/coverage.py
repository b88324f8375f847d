"""Coverages: a description (domain, range, provenance) and, once read, the values."""

from collections.abc import Mapping
from dataclasses import dataclass

from datacube.model.block import Block
from datacube.model.domain import DomainSet
from datacube.model.fields import RangeType
from datacube.model.grid import Grid


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a cube: 0 is the cube itself, level k has cells 2^k times as large."""

    number: int
    factor: int
    grid: Grid


@dataclass(frozen=True, slots=True)
class CoverageDescription:
    """What a cube is, at one version.

    Parameters
    ----------
    id : str
    title, abstract : str
    domain : DomainSet
    range_type : RangeType
    levels : tuple of Level
        Finest first; the first has the domain's grid.
    snapshot : str
        Names the committed version that this describes; part of every cache key.
    attribution, licence : str
    """

    id: str
    title: str
    abstract: str
    domain: DomainSet
    range_type: RangeType
    levels: tuple[Level, ...] = ()
    snapshot: str = ""
    attribution: str = ""
    licence: str = ""


@dataclass(frozen=True, eq=False)
class Coverage:
    """A description and its values.

    Parameters
    ----------
    description : CoverageDescription
        Of exactly these values: its domain is that of every block, its fields are the blocks'.
    blocks : mapping of field name to Block, in field order
    notes : tuple of str
        What the reader should know: clamped bounds, the nearest time used.
    """

    description: CoverageDescription
    blocks: Mapping[str, Block]
    notes: tuple[str, ...] = ()
