"""The styles that a cube has before anyone has configured one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from datacube.algebra.show import shown_name
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Category, Field
from datacube.render.presets import is_quality, preset_of
from datacube.render.ranges import Statistics, resolved
from datacube.render.style import Categories, Channel, ColorRamp, Composite, Style, fields_of
from datacube.render.vectors import vector_styles

DEFAULT = "default"

# The scene classes of Sentinel-2 L2A in the colours that ESA draws them in; 0 is no data.
SCENE_CLASSES: tuple[Category, ...] = (
    Category(1, "Saturated or defective", "#ff0000"),
    Category(2, "Dark area or cast shadow", "#2f2f2f"),
    Category(3, "Cloud shadow", "#643200"),
    Category(4, "Vegetation", "#00a000"),
    Category(5, "Not vegetated", "#ffe65a"),
    Category(6, "Water", "#0000ff"),
    Category(7, "Unclassified", "#808080"),
    Category(8, "Cloud, medium probability", "#c0c0c0"),
    Category(9, "Cloud, high probability", "#ffffff"),
    Category(10, "Thin cirrus", "#64c8ff"),
    Category(11, "Snow or ice", "#ff96ff"),
)

# name, title, (band, reflectance at full intensity) of red, green, blue
_SENTINEL2 = (
    ("true-color", "True colour (4-3-2)", (("b04", 0.3), ("b03", 0.3), ("b02", 0.3))),
    (
        "false-color",
        "False colour, vegetation red (8-4-3)",
        (("b08", 0.5), ("b04", 0.3), ("b03", 0.3)),
    ),
    ("urban", "False colour, urban (12-11-4)", (("b12", 0.5), ("b11", 0.5), ("b04", 0.4))),
    ("swir", "Short-wave infrared (12-8A-4)", (("b12", 0.5), ("b8a", 0.5), ("b04", 0.4))),
)
COMPOSITES = (*(name for name, _, _ in _SENTINEL2), "dual-pol")
# name, title, the two bands of (a - b) / (a + b), colour map, low, high
_INDEXES = (
    ("ndvi", "Vegetation index (NDVI)", ("b08", "b04"), "RdYlGn", -0.2, 0.9),
    ("moisture", "Moisture index (8A, 11)", ("b8a", "b11"), "RdBu", -0.6, 0.6),
)
INDEXES = (*(name for name, *_ in _INDEXES), "cross-ratio")
_SPELLINGS = {
    "b02": ("b02", "b2", "blue"),
    "b03": ("b03", "b3", "green"),
    "b04": ("b04", "b4", "red"),
    "b08": ("b08", "b8", "nir"),
    "b8a": ("b8a", "nir08"),
    "b11": ("b11", "swir16"),
    "b12": ("b12", "swir22"),
}
_QUANTIFICATION = 10_000  # of reflectances stored as plain numbers
_ALTERNATIVES = ("viridis", "gray")
# name, title, co- and cross-polarised fields of Sentinel-1
_DUAL = (
    ("dual-pol", "Dual polarisation (VV, VH, VV)", ("vv", "vh")),
    ("dual-pol", "Dual polarisation (HH, HV, HH)", ("hh", "hv")),
)


def default_styles(
    description: CoverageDescription,
    names: Sequence[str] = (),
    statistics: Statistics | None = None,
) -> tuple[Style, ...]:
    """Styles of a layer; the first is its default.

    Parameters
    ----------
    description : CoverageDescription
    names : sequence of str
        The layer's fields: one for a layer of one field, none or several for the whole cube.
    statistics : mapping of field name to (low, high), optional
        Physical values that occur; see :func:`datacube.render.ranges.resolved`.

    Returns
    -------
    styles : tuple of Style
        One field: ``default``, ``viridis``, ``gray``, or its classes. Several: the composites
        that their bands allow, then one style for each field, named like it; where no composite
        can be made, that of the first measure (flags and quality are none) leads and is called
        ``default``. Arrows of vectors come last, or
        first where the fields are their components alone.

    Raises
    ------
    FieldNotFound
        A name is not one of the cube's fields.
    """
    fields = [description.range_type.field(name) for name in names]
    fields = fields or list(description.range_type.fields)
    measured = statistics or {}
    if len(fields) == 1:
        return field_styles(fields[0], measured)
    bands = {field.name: field for field in fields}
    composites = (*sentinel2_composites(bands), *sentinel1_composites(bands))
    singles = [
        replace(field_styles(field, measured)[0], name=field.name, title=field.title or field.name)
        for field in fields
    ]
    vectors = vector_styles(fields)
    parts = {name for style in vectors for name in fields_of(style)}
    if parts == {field.name for field in fields}:
        return (*vectors, *singles)
    if not composites and singles:
        main = next((at for at, one in enumerate(fields) if _measure(one)), 0)
        singles.insert(0, replace(singles.pop(main), name=DEFAULT))
    indexes = (*sentinel2_indexes(bands), *sentinel1_ratios(bands))
    return (*composites, *indexes, *singles, *vectors)


def field_styles(field: Field, statistics: Statistics | None = None) -> tuple[Style, ...]:
    """Styles of one field; the first is called ``default``."""
    if (entries := classes_of(field)) and _whole(field):
        return (Categories(DEFAULT, "Classes", field.name, entries),)
    preset = preset_of(field)
    first = ColorRamp(
        DEFAULT,
        "",
        field.name,
        preset.colormap if preset is not None else "viridis",
        log=preset.log if preset is not None else False,
    )
    first = resolved(first, field, (statistics or {}).get(field.name))
    first = replace(first, title=f"{first.colormap}, the usual range")
    others = (
        replace(first, name=name, colormap=name, title=name)
        for name in _ALTERNATIVES
        if name != first.colormap
    )
    return (first, *others)


def classes_of(field: Field) -> tuple[Category, ...]:
    """Classes of a field, in ESA's colours where they are Sentinel-2's scene classes."""
    if field.name.lower() != "scl":
        return field.categories
    known = {one.value: one for one in SCENE_CLASSES}
    if not field.categories:
        return SCENE_CLASSES
    return tuple(
        replace(one, color=one.color or known.get(one.value, one).color)
        for one in field.categories
        if one.value != field.nil
    )


def sentinel2_composites(fields: Mapping[str, Field]) -> tuple[Composite, ...]:
    """The composites of Sentinel-2 that these bands allow, true colour first."""
    bands = _bands(fields)
    return tuple(
        _composite(name, title, [_channel(bands[band], top) for band, top in channels])
        for name, title, channels in _SENTINEL2
        if all(band in bands for band, _ in channels)
    )


def sentinel2_indexes(fields: Mapping[str, Field]) -> tuple[ColorRamp, ...]:
    """The normalised differences that these bands allow."""
    bands = _bands(fields)
    return tuple(
        ColorRamp(
            name, title, name, colormap, low, high, expression=_difference(bands[a], bands[b])
        )
        for name, title, (a, b), colormap, low, high in _INDEXES
        if a in bands and b in bands
    )


def sentinel1_composites(fields: Mapping[str, Field]) -> tuple[Composite, ...]:
    """Both polarisations in one picture: bare and built-up magenta, what scatters within green."""
    by_name = {name.lower(): field for name, field in fields.items()}
    return tuple(
        _composite(name, title, [_backscatter(by_name[one]) for one in (co, cross, co)])
        for name, title, (co, cross) in _DUAL
        if co in by_name and cross in by_name
    )


def sentinel1_ratios(fields: Mapping[str, Field]) -> tuple[ColorRamp, ...]:
    """How much stronger one polarisation is than the other, in decibels."""
    by_name = {name.lower(): field for name, field in fields.items()}
    return tuple(
        ColorRamp(
            "cross-ratio",
            f"{co.upper()} over {cross.upper()} in dB",
            "cross-ratio",
            "viridis",
            0.0,
            15.0,
            expression=_ratio(by_name[co], by_name[cross]),
        )
        for _, _, (co, cross) in _DUAL
        if co in by_name and cross in by_name
    )


def _ratio(one: Field, other: Field) -> str:
    """Decibels are subtracted; amplitudes (whole numbers) count twice what powers do."""
    a, b = shown_name(one.name), shown_name(other.name)
    if one.uom.lower() == "db":
        return f"{a} - {b}"
    return f"{20 if _whole(one) else 10} * log10({a} / {b})"


def _backscatter(field: Field) -> Channel:
    """From dark to bright: usual decibels, else what the cube has between its outer percentiles."""
    cross = field.name.lower() in {"vh", "hv"}
    if field.uom.lower() == "db":
        return Channel(field.name, -26.0 if cross else -20.0, -6.0 if cross else 0.0)
    return Channel(field.name, 0.0, 0.08 if cross else 0.4, percentiles=(2.0, 98.0))


def _difference(one: Field, other: Field) -> str:
    a, b = shown_name(one.name), shown_name(other.name)
    return f"({a} - {b}) / ({a} + {b})"


def _bands(fields: Mapping[str, Field]) -> Mapping[str, Field]:
    """Sentinel-2's bands among fields, whatever they are called."""
    by_name = {name.lower(): field for name, field in fields.items()}
    return {
        band: by_name[spelling]
        for band, spellings in _SPELLINGS.items()
        for spelling in reversed(spellings)
        if spelling in by_name
    }


def _composite(name: str, title: str, channels: Sequence[Channel]) -> Composite:
    red, green, blue = channels
    return Composite(name, title, red, green, blue)


def _channel(field: Field, top: float) -> Channel:
    plain = _whole(field) and not field.packed
    if plain and np.dtype(field.dtype).itemsize == 1:  # a picture already
        return Channel(field.name, 0.0, 255.0)
    return Channel(field.name, 0.0, top * _QUANTIFICATION if plain else top)


def _measure(field: Field) -> bool:
    """Whether a field is what a cube is about, not how good that is."""
    return not classes_of(field) and not is_quality(field)


def _whole(field: Field) -> bool:
    return np.dtype(field.dtype).kind in "iu"
