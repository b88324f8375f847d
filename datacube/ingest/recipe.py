"""Recipes applied: the wanted fields and texts of a product.

What a recipe can say is in :class:`datacube.config.products.RecipeSettings`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from datacube.config.products import FieldRecipe, RecipeSettings
from datacube.errors import SourceError
from datacube.ingest.decibel import in_decibels
from datacube.ingest.masking import masked
from datacube.ingest.mosaic import by_day
from datacube.ingest.places import labelled
from datacube.ingest.regrid import regridded
from datacube.ingest.restored import packed, unpacked
from datacube.ingest.source import Granule, SliceSource
from datacube.model.fields import Field, RangeType
from datacube.model.naming import part_ids
from datacube.render.units import same_unit


def prepared(recipe: RecipeSettings, granules: Sequence[Granule]) -> tuple[Granule, ...]:
    """The granules as they go into their cubes: masked, named, on the wanted grid and days.

    Raises
    ------
    SourceError
        A wanted field or quality field is in none of the granules, a field is in another unit or
        cannot be stored as wanted, or they do not say their place along an axis of the recipe.
    """
    chosen = apply_recipe(recipe, masked(recipe.masks, granules))
    ready = (labelled(recipe.axes, regridded(recipe, unpacked(recipe, one))) for one in chosen)
    ready = (in_decibels(one) if _in_decibels(recipe, one) else one for one in ready)
    ready = (packed(recipe, one) for one in ready)
    mosaic = recipe.mosaic
    return tuple(one if mosaic is None else by_day(mosaic, one) for one in ready)


def _in_decibels(recipe: RecipeSettings, granule: Granule) -> bool:
    """Whether the values of a granule, linear so far, are wanted as decibels."""
    wanted = recipe.calibration
    return wanted is not None and wanted.decibel and granule.calibrated


def apply_field(recipe: FieldRecipe, field: Field) -> Field:
    """The field as the cube has it.

    Raises
    ------
    SourceError
        The recipe gives it another unit than the source, which its numbers are in.

    Examples
    --------
    >>> apply_field(FieldRecipe("t2m", "air", title="Air"), Field("t2m", "float32", uom="K")).name
    'air'
    """
    _check_unit(recipe, field)
    changes: dict[str, Any] = {
        "name": recipe.name,
        "title": recipe.title,
        "uom": recipe.uom,
        "standard_name": recipe.standard_name,
        "overview": recipe.overview,
        "valid_range": recipe.valid_range,
    }
    return replace(field, **{key: value for key, value in changes.items() if value is not None})


def _check_unit(recipe: FieldRecipe, field: Field) -> None:
    wanted, said = recipe.uom, field.uom
    if wanted is None or not said or same_unit(wanted, said):
        return
    if recipe.wrong_uom is None or not same_unit(recipe.wrong_uom, said):
        raise SourceError(
            f"{field.name} is in '{said}', which the recipe would call '{wanted}' though no value "
            "is converted; leave its unit out of the recipe, or where the source is wrong add "
            f"wrong_unit: '{said}'"
        )


def apply_recipe(recipe: RecipeSettings, granules: Sequence[Granule]) -> tuple[Granule, ...]:
    """The granules with the wanted fields and texts; parts without a wanted field are left out.

    Raises
    ------
    SourceError
        A wanted field is in none of the granules, and may not be lacking, or in another unit.
    """
    present = [name for one in granules for name in one.description.range_type.names]
    wanted = {one.source.lower(): one for one in recipe.fields}
    absent = [one for one in recipe.fields if one.source.lower() not in _lower(present)]
    if absent and (len(absent) == len(recipe.fields) or not all(one.optional for one in absent)):
        raise SourceError(
            f"the recipe wants the fields {', '.join(one.source for one in absent)}; the source "
            f"has {', '.join(present)}"
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


def _applied(recipe: RecipeSettings, granule: Granule, cube_id: str) -> Granule:
    before = granule.description.range_type
    pairs = [(one.name, one) for one in before.fields]
    said: dict[str, Any] = {"uom": "dB"} if _in_decibels(recipe, granule) else {}
    if recipe.fields:
        own = set(_lower(before.names))
        chosen = [one for one in recipe.fields if one.source.lower() in own]
        pairs = [
            (
                before.field(one.source).name,
                apply_field(one, replace(before.field(one.source), **said)),
            )
            for one in chosen
        ]
    names = Counter(field.name.lower() for _, field in pairs)
    if twice := [name for name, count in names.items() if count > 1]:
        raise SourceError(
            f"the recipe gives the name '{twice[0]}' to several fields of '{cube_id}'"
        )
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
