"""Models to the plain settings that the rest of the program sees."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from datacube.config.base import duration_ms, rgba
from datacube.config.cubes import CubeModel, FieldModel
from datacube.config.inspire import InspireModel
from datacube.config.metadata import InspireSettings, MetadataLink, Wording
from datacube.config.products import (
    AxisSettings,
    CalibrationSettings,
    FieldRecipe,
    MaskSettings,
    MosaicSettings,
    RecipeSettings,
    StoredAs,
    TargetSettings,
)
from datacube.config.recipes import FieldRecipeModel, MaskModel, RecipeModel, TargetModel
from datacube.config.server import JobsModel, ServerModel, TileCacheModel, TimeModel
from datacube.config.settings import (
    Contact,
    CubeSettings,
    FieldSettings,
    JobSettings,
    LevelPolicy,
    Limits,
    ServerSettings,
    TileCacheSettings,
    TimePolicy,
)
from datacube.config.styles import (
    ArrowsModel,
    CategoriesModel,
    ChannelModel,
    ColorsModel,
    CompositeModel,
    ContoursModel,
    HillshadeModel,
    RampModel,
    SldModel,
)
from datacube.model.fields import Category
from datacube.model.symbolizer import RasterSymbolizer
from datacube.render.style import (
    Arrows,
    Categories,
    Channel,
    ColorRamp,
    Composite,
    Contours,
    Hillshade,
    Style,
)
from datacube.render.symbolized import Described

type Symbolizers = Mapping[SldModel, RasterSymbolizer]
type DrawnModel = HillshadeModel | ContoursModel | ArrowsModel
type StyleFile = RampModel | CategoriesModel | CompositeModel | DrawnModel | SldModel


def build_server(model: ServerModel) -> ServerSettings:
    """Settings of a server."""
    return ServerSettings(
        title=model.title,
        abstract=model.abstract,
        attribution=model.attribution,
        keywords=model.keywords,
        fees=model.fees,
        access_constraints=model.access_constraints,
        contact=Contact(**model.contact.model_dump()),
        public_url=model.public_url,
        trusted_proxies=model.trusted_proxies,
        workers=model.workers,
        limits=Limits(**model.limits.model_dump()),
        time=build_time(model.time),
        sld_hosts=model.sld_hosts,
        strict_http=model.strict_http,
        wms_charts=model.wms.charts,
        wms_layers=model.wms.layers,
        wmts_strict=model.wmts.strict,
        wcs_time_encoding=model.wcs.time_encoding,
        wcs_native_format=model.wcs.native_format,
        wcs_versions=tuple(sorted(set(model.wcs.versions))),
        tile_cache=_tile_cache(model.tile_cache),
        jobs=_jobs(model.jobs),
        inspire=_inspire(model.inspire),
    )


def _inspire(model: InspireModel | None) -> InspireSettings | None:
    if model is None:
        return None
    return InspireSettings(
        language=model.language,
        languages={
            name: Wording(one.title, one.abstract)
            for name, one in model.languages.items()
            if name != model.language
        },
        metadata_url=model.metadata_url or "",
        media_type=model.metadata_format,
        date=model.date.isoformat(),
        conformity=model.conformity,
    )


def _tile_cache(model: TileCacheModel | None) -> TileCacheSettings | None:
    return None if model is None else TileCacheSettings(model.url, model.size)


def _jobs(model: JobsModel) -> JobSettings:
    return JobSettings(**model.model_dump(exclude={"keep"}), keep_ms=duration_ms(model.keep))


def build_time(model: TimeModel) -> TimePolicy:
    """What other times than the steps mean."""
    tolerance = None if model.tolerance is None else duration_ms(model.tolerance)
    return TimePolicy(model.nearest, tolerance, model.default)


def build_cube(
    model: CubeModel,
    styles: Mapping[str, Style | Described],
    otherwise: TimePolicy,
    symbolizers: Symbolizers,
) -> CubeSettings:
    """Overrides for a cube.

    Parameters
    ----------
    model : CubeModel
    styles : mapping of name to Style, those of ``styles/``
    otherwise : TimePolicy, where the cube has none
    symbolizers : what the documents of styles written into the cube's file hold
    """
    time = model.dimensions.time
    return CubeSettings(
        title=model.title,
        abstract=model.abstract,
        attribution=model.attribution,
        licence=model.licence,
        hidden=model.hidden,
        styles=tuple(
            styles.get(one, one) if isinstance(one, str) else build_style(one, "", symbolizers)
            for one in model.styles
        ),
        fields={name: _field(one) for name, one in model.fields.items()},
        time=otherwise if time is None else build_time(time),
        cloudiness=model.cloudiness,
        metadata=tuple(MetadataLink(one.url, one.standard, one.format) for one in model.metadata),
        levels=LevelPolicy(**model.dimensions.elevation.model_dump()),
    )


def _field(model: FieldModel) -> FieldSettings:
    return FieldSettings(model.title, model.unit, model.range, model.colormap, model.log)


def build_style(model: StyleFile, name: str, symbolizers: Symbolizers) -> Style | Described:
    """A style; ``name`` is the one of its file, ``symbolizers`` what documents of SLD hold."""
    own = model.name or name
    title = model.title or own
    match model:
        case RampModel():
            field = model.field or (own if model.expression else "")
            return replace(_ramp(model, own, title, field), expression=model.expression)
        case CategoriesModel():
            entries = tuple(
                Category(one.value, one.label, one.color or "") for one in model.classes
            )
            return Categories(own, title, model.field, entries)
        case CompositeModel():
            red, green, blue = (_channel(one) for one in (model.red, model.green, model.blue))
            return Composite(own, title, red, green, blue)
        case HillshadeModel() | ContoursModel() | ArrowsModel():
            return _drawn(model, own, title)
        case SldModel():
            described = symbolizers[model]
            return Described(own, model.title or described.title or own, model.field, described)
        case _:
            assert_never(model)


def _drawn(model: DrawnModel, name: str, title: str) -> Style:
    match model:
        case HillshadeModel():
            light = model.azimuth, model.altitude, model.exaggeration
            return Hillshade(name, title, model.field, *light, _under(model.ramp, name))
        case ContoursModel():
            lines = Contours(name, title, model.field, model.interval, model.levels, model.unit)
            return replace(
                lines,
                color=rgba(model.color),
                width=model.width,
                major=model.major,
                labels=model.labels,
                size=model.size,
                ramp=_under(model.ramp, name),
            )
        case ArrowsModel():
            glyphs = Arrows(name, title, model.u, model.v, model.kind, model.along)
            return replace(
                glyphs,
                spacing=model.spacing,
                size=model.size,
                color=rgba(model.color),
                ramp=_under(model.ramp, name),
                coloring=model.coloring,
            )
        case _:
            assert_never(model)


def _under(model: ColorsModel | None, name: str) -> ColorRamp | None:
    return None if model is None else _ramp(model, name, "", "")


def _ramp(model: ColorsModel, name: str, title: str, field: str) -> ColorRamp:
    low, high = model.range
    return ColorRamp(
        name,
        title,
        field,
        model.colormap,
        low,
        high,
        model.log,
        below=None if model.below is None else rgba(model.below),
        above=None if model.above is None else rgba(model.above),
        missing=rgba(model.missing),
        bands=model.bands,
        opacity=model.opacity,
        percentiles=model.percentiles,
    )


def _channel(model: ChannelModel) -> Channel:
    return Channel(model.field, *model.range, model.gamma, model.percentiles)


def build_recipe(model: RecipeModel) -> RecipeSettings:
    """How a product becomes a cube."""
    fields = tuple(
        FieldRecipe(
            one.source,
            one.name,
            one.title,
            one.unit,
            one.standard_name,
            one.overview,
            one.range,
            one.resampling,
            one.wrong_unit,
            one.optional,
            _stored(one),
        )
        for one in model.fields
    )
    return RecipeSettings(
        model.cube,
        model.title,
        model.abstract,
        model.attribution,
        model.licence,
        fields,
        model.time,
        model.crs,
        model.chunk,
        model.series,
        model.storage,
        None if model.grid is None else _target(model.grid),
        tuple(_mask(one) for one in model.masks),
        None if model.mosaic is None else MosaicSettings(model.mosaic.by, model.mosaic.rule),
        model.swath,
        model.forecast,
        tuple(
            AxisSettings(one.name, one.title, one.label, one.attribute, one.file)
            for one in model.axes
        ),
        None
        if model.calibration is None
        else CalibrationSettings(**model.calibration.model_dump()),
        dict(model.attributes),
    )


def _stored(model: FieldRecipeModel) -> StoredAs | None:
    if model.dtype is None and model.keep_bits is None:
        return None
    return StoredAs(model.dtype, model.scale, model.offset, model.no_data, model.keep_bits)


def _target(model: TargetModel) -> TargetSettings:
    sides = model.resolution
    width, height = sides if isinstance(sides, tuple) else (sides, sides)
    return TargetSettings((width, height), model.crs, model.box)


def _mask(model: MaskModel) -> MaskSettings:
    low, high = model.range or (None, None)
    return MaskSettings(model.field, low, high, model.values, model.bits)
