"""Recipes: what a person decides about a product beyond what its files say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from datacube.errors import SourceError
from datacube.ingest.naming import part_ids
from datacube.ingest.source import Granule, SliceSource
from datacube.model.fields import Field, Overview, RangeType


@dataclass(frozen=True, slots=True)
class FieldRecipe:
    """One field that is wanted.

    Parameters
    ----------
    source : str
        Its name in the source (as a cube id's field, after the naming rule).
    name : str, optional
        Its name in the cube; the same where not given.
    title, uom, standard_name : str, optional
        Stand above what the source says.
    overview : str, optional
        How coarser levels are made: mean, mode or nearest.
    valid_range : (low, high), optional
        For colour ranges, physical.
    """

    source: str
    name: str | None = None
    title: str | None = None
    uom: str | None = None
    standard_name: str | None = None
    overview: Overview | None = None
    valid_range: tuple[float, float] | None = None

    def applied(self, field: Field) -> Field:
        """The field as the cube has it.

        Examples
        --------
        >>> FieldRecipe("t2m", "air", title="Air").applied(Field("t2m", "float32", uom="K")).name
        'air'
        """
        changes: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "uom": self.uom,
            "standard_name": self.standard_name,
            "overview": self.overview,
            "valid_range": self.valid_range,
        }
        return replace(field, **{key: value for key, value in changes.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a product becomes a cube; everything has the obvious default.

    Parameters
    ----------
    cube : str, optional
        Base of the cube ids.
    title, abstract, attribution, licence : str, optional
    fields : tuple of FieldRecipe
        The wanted fields in their order; empty means all.
    time : str, optional
        ISO 8601 instant of sources that hold one and do not say it.
    crs : str, optional
        CRS of a projected grid that names none: ``EPSG:27700``.
    chunk : int, optional
        Side of a chunk in cells; even.
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


def apply_recipe(recipe: Recipe, granules: Sequence[Granule]) -> tuple[Granule, ...]:
    """The granules with the wanted fields and texts; parts without a wanted field are left out.

    Raises
    ------
    SourceError
        A wanted field is in none of the granules.
    """
    present = [name for one in granules for name in one.description.range_type.names]
    wanted = {one.source.lower(): one for one in recipe.fields}
    absent = [one.source for one in recipe.fields if one.source.lower() not in _lower(present)]
    if absent:
        raise SourceError(
            f"the recipe wants the fields {', '.join(absent)}; the source has {', '.join(present)}"
        )
    kept = [
        one
        for one in granules
        if not wanted or wanted.keys() & set(_lower(one.description.range_type.names))
    ]
    base = granules[0].cube_id
    suffixes = [one.cube_id.removeprefix(base).lstrip("-") for one in kept]
    return tuple(
        _applied(recipe, one, cube_id)
        for one, cube_id in zip(kept, part_ids(base, suffixes), strict=True)
    )


def _applied(recipe: Recipe, granule: Granule, cube_id: str) -> Granule:
    before = granule.description.range_type
    pairs = [(one.name, one) for one in before.fields]
    if recipe.fields:
        own = set(_lower(before.names))
        chosen = [one for one in recipe.fields if one.source.lower() in own]
        pairs = [
            (before.field(one.source).name, one.applied(before.field(one.source))) for one in chosen
        ]
    texts: dict[str, Any] = {
        "title": recipe.title,
        "abstract": recipe.abstract,
        "attribution": recipe.attribution,
        "licence": recipe.licence,
    }
    description = replace(
        granule.description,
        id=cube_id,
        range_type=RangeType(tuple(field for _, field in pairs)),
        **{key: value for key, value in texts.items() if value is not None},
    )
    slices = tuple(
        SliceSource(
            one.ticks, {field.name: one.bands[name] for name, field in pairs}, one.reference_ticks
        )
        for one in granule.slices
    )
    return replace(granule, cube_id=cube_id, description=description, slices=slices)


def _lower(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]
