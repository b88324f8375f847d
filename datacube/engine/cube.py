"""Published cubes and their layers: what can be drawn, and in which styles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256

from datacube import __version__
from datacube.config.settings import CubeSettings
from datacube.engine.forecast import ForecastView, best_view
from datacube.engine.statistics import distribution, usual_ranges
from datacube.errors import StyleNotFound
from datacube.model.coverage import CoverageDescription
from datacube.render.defaults import default_styles
from datacube.render.stretch import stretched
from datacube.render.style import Style
from datacube.slicing.curvilinear import Inverses
from datacube.store.source import CubeSource


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of the maps.

    Parameters
    ----------
    name : str
        ``cube``, its default picture, or ``cube.field``.
    title : str
    cube : Cube
        Whose values it shows; of a forecast the best view.
    fields : tuple of str
        Whose values a click on the layer gives.
    styles : tuple of Style, the first is the default
    """

    name: str
    title: str
    cube: "Cube"
    fields: tuple[str, ...]
    styles: tuple[Style, ...]

    @cached_property
    def _prints(self) -> Mapping[int, str]:
        """Style by style; a style is known by its place in memory, for its text takes long."""
        return {id(style): _digest(style) for style in self.styles}

    def style_print(self, style: Style) -> str:
        """Names a style drawn for this layer: the same text, the same colours and marks."""
        return self._prints.get(id(style)) or _digest(style)

    def style(self, name: str) -> Style:
        """The style of that name; the default one for ``""`` and ``"default"``.

        Raises
        ------
        StyleNotFound
            There is none; the message lists those of the layer.
        """
        for style in self.styles:
            if style.name == name:
                return style
        if name in {"", "default"}:
            return self.styles[0]
        names = [style.name for style in self.styles]
        near = get_close_matches(name[:100], names, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise StyleNotFound(
            f"the layer {self.name} has no style '{name[:100]}'{hint}; its styles are "
            f"{', '.join(names)}",
            subject=name[:100],
        )


@dataclass(frozen=True, eq=False)
class Cube:
    """A published cube at one version.

    Parameters
    ----------
    store : CubeSource, its chunks
    description : CoverageDescription, titles as configured
    settings : CubeSettings
    inverses : Inverses, for a grid whose cells have positions of their own
    layers : tuple of Layer
        ``cube`` first (its default picture), then ``cube.field`` for each field.
    best : Cube, optional
        Of a forecast the view of the newest run for each valid time.
    """

    store: CubeSource
    description: CoverageDescription
    settings: CubeSettings
    inverses: Inverses
    layers: tuple[Layer, ...] = field(default=(), init=False)
    best: "Cube | None" = field(default=None, init=False)

    @property
    def shown(self) -> "Cube":
        """The cube that its layers show: the best view of a forecast, else itself."""
        return self.best or self

    @property
    def view(self) -> ForecastView | None:
        """What it is a view of, where it is one of a forecast."""
        return self.store if isinstance(self.store, ForecastView) else None

    def narrowed(self, view: ForecastView) -> "Cube":
        """Of the best view: another view of its forecast, without layers of its own.

        Which times are near is decided by the steps of the best view.
        """
        known, time = self.description, self.settings.time
        domain, snapshot = view.description.domain, view.snapshot
        described = replace(known, domain=domain, snapshot=snapshot)
        if time.tolerance_ms is None and known.domain.time is not None:
            time = replace(time, tolerance_ms=known.domain.time.median_step // 2)
        return Cube(view, described, replace(self.settings, time=time), self.inverses)

    @property
    def id(self) -> str:
        """Cube id = coverage id = collection id."""
        return self.description.id

    @property
    def title(self) -> str:
        """For people."""
        return self.description.title

    @property
    def abstract(self) -> str:
        """For people."""
        return self.description.abstract

    @property
    def attribution(self) -> str:
        """Whom to name."""
        return self.description.attribution

    @property
    def snapshot(self) -> str:
        """The version that is served; part of every cache key."""
        return self.store.snapshot

    @cached_property
    def token(self) -> str:
        """Names all that its pictures are made of; at a URL with it nothing ever changes."""
        styles = tuple(layer.styles for layer in self.layers)
        made_of = (self.snapshot, self.description.range_type, self.settings.time, styles)
        return _digest((__version__, *made_of))

    @cached_property
    def fingerprint(self) -> str:
        """Names what its fields are, as configured: units, ranges, what the values mean."""
        return _digest(self.description.range_type)

    @cached_property
    def words(self) -> str:
        """Names what a file says of it, whatever part of it that holds."""
        known = self.description
        words = known.id, known.title, known.abstract, known.attribution, known.licence
        return _digest((words, known.range_type))


def _digest(value: object) -> str:
    """Of a frozen value's text."""
    return sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def publish(store: CubeSource, settings: CubeSettings, inverses: Inverses) -> Cube:
    """A cube of the store with its configured titles, layers and styles.

    A forecast has its best view beside it, ``cube__best``, which its layers show.
    """
    cube = Cube(store, settings.describe(store.description), settings, inverses)
    view = best_view(store, f"{cube.id}__best")
    if view is not None:
        best = Cube(view, _titled(cube, view.description), settings, inverses)
        object.__setattr__(best, "layers", tuple(_layers(best, best)))
        object.__setattr__(cube, "best", best)
    object.__setattr__(cube, "layers", tuple(_layers(cube, cube.shown)))
    return cube


def _titled(cube: Cube, view: CoverageDescription) -> CoverageDescription:
    """A view as its cube is configured."""
    title = f"{cube.title or cube.id}: newest run for each time"
    return replace(
        cube.description, id=view.id, title=title, domain=view.domain, snapshot=view.snapshot
    )


def _layers(cube: Cube, shown: Cube) -> Iterator[Layer]:
    """The cube itself, then each of its fields."""
    description = cube.description
    names = description.range_type.names
    yield Layer(cube.id, cube.title, shown, names, _styles(cube, names))
    for one in description.range_type.fields:
        name, title = f"{cube.id}.{one.name}", one.title or one.name
        yield Layer(name, title, shown, (one.name,), _styles(cube, (one.name,)))


def _styles(cube: Cube, names: tuple[str, ...]) -> tuple[Style, ...]:
    """Configured styles first, then those that every cube has; each name once."""
    configured = cube.settings.styles_for(cube.description, names)
    known = {style.name for style in configured}
    usual = default_styles(cube.description, names, usual_ranges(cube.store, names))
    styles = (*configured, *(style for style in usual if style.name not in known))
    return tuple(stretched(style, lambda name: distribution(cube.store, name)) for style in styles)
