"""Reading a configuration: every problem of every file in one report.

``server.yaml`` stands beside the folders ``cubes/``, ``styles/`` and ``recipes/``; each of their
``*.yaml`` files is one cube's overrides, one style, one recipe, called like the file where it has
no name of its own. Styles may point to documents of SLD beside them. The ``*.json`` files of
``tilematrixsets/`` are tile matrix sets as the OGC writes them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from datacube.config.build import (
    StyleFile,
    Symbolizers,
    build_cube,
    build_recipe,
    build_server,
    build_style,
)
from datacube.config.cubes import CubeModel
from datacube.config.described import read_symbolizer
from datacube.config.document import Document, KeyPath, read_document
from datacube.config.findings import findings_of
from datacube.config.products import RecipeSettings
from datacube.config.recipes import RecipeModel
from datacube.config.retention import RetentionModel, build_retention
from datacube.config.server import ServerModel
from datacube.config.settings import Config, CubeSettings, TimePolicy
from datacube.config.styles import SldModel, StyleModel
from datacube.config.tilesets import TileMatrixSetModel, build_tile_matrix_set
from datacube.errors import ConfigError
from datacube.model.tilesets import well_known_sets
from datacube.model.tiling import TileMatrixSet
from datacube.render.defaults import COMPOSITES, DEFAULT, INDEXES
from datacube.render.style import Style
from datacube.render.symbolized import Described
from datacube.render.vectors import VECTORS
from datacube.store.retention import Policy

_YAML = ("yaml", "yml")
# Styles that cubes have by themselves and that a cube's file may put first.
USUAL_STYLES = (DEFAULT, *COMPOSITES, *INDEXES, *VECTORS)


def load_config(path: Path | None, environment: Mapping[str, str] | None = None) -> Config:
    """Read ``server.yaml`` and the folders beside it.

    Parameters
    ----------
    path : Path, optional
        None gives the defaults.
    environment : mapping, optional
        For ``${VARIABLE}``; the process's own where None.

    Raises
    ------
    ConfigError
        With every finding of every file, ``file:line: what is wrong``.

    Examples
    --------
    >>> load_config(None).server.title
    'Datacube server'
    """
    if path is None:
        return Config()
    report = _Report(environment)
    _, model = report.read(path, TypeAdapter(ServerModel), "ServerModel")
    sets = _tile_matrix_sets(report, path.parent / "tilematrixsets")
    server = replace(
        build_server(model or ServerModel()), tile_matrix_sets=sets, changed=_changed(path)
    )
    styles = _styles(report, path.parent / "styles")
    cubes = _cubes(report, path.parent / "cubes", styles, server.time)
    recipes = _recipes(report, path.parent / "recipes")
    report.close(path)
    sound = {name: style for name, style in styles.items() if style is not None}
    return Config(server, cubes, sound, recipes)


def load_recipe(path: Path) -> RecipeSettings:
    """Read one recipe.

    Raises
    ------
    ConfigError
        With every finding.
    """
    report = _Report(None)
    _, model = report.read(path, TypeAdapter(RecipeModel), "RecipeModel")
    report.close(path)
    return build_recipe(model or RecipeModel())


def load_retention(path: Path) -> Policy:
    """Read one retention policy.

    Raises
    ------
    ConfigError
        With every finding.
    """
    report = _Report(None)
    _, model = report.read(path, TypeAdapter(RetentionModel), "RetentionModel")
    report.close(path)
    return build_retention(model or RetentionModel())


@dataclass(frozen=True, eq=False)
class _Report:
    """Reads files and keeps what is wrong with them."""

    environment: Mapping[str, str] | None
    findings: list[str] = field(default_factory=list)

    def read[M](self, path: Path, adapter: TypeAdapter[M], kind: str) -> tuple[Document, M | None]:
        """A file and its model; None where it has findings.

        ``kind`` is the name of its definition in the schema.
        """
        document = read_document(path, self.environment)
        self.findings.extend(document.findings)
        if document.unreadable:
            return document, None
        try:
            return document, adapter.validate_python(document.data)
        except ValidationError as error:
            self.findings.extend(findings_of(document, error, kind))
            return document, None

    def folder[M](
        self, folder: Path, adapter: TypeAdapter[M], kind: str, endings: Sequence[str] = _YAML
    ) -> Iterator[tuple[Document, M | None]]:
        """Every ``*.yaml`` of a folder, by name; a folder need not be there."""
        for path in sorted(one for ending in endings for one in folder.glob(f"*.{ending}")):
            read = self.read(path, adapter, kind)
            yield read

    def described(
        self, document: Document, root: Path, models: Iterable[tuple[KeyPath, object]]
    ) -> Symbolizers:
        """What the documents hold that styles point to; those with findings are left out."""
        found = {}
        for place, model in models:
            if isinstance(model, SldModel):
                symbolizer = read_symbolizer(document, place, model, root, self.findings)
                if symbolizer is not None:
                    found[model] = symbolizer
        return found

    def once(self, document: Document, name: str, known: Mapping[str, object], key: str) -> None:
        """Note a name that another file has taken."""
        if name in known:
            text = f"'{name}' is configured already; every {key} is there once"
            self.findings.append(document.finding((key,), text))

    def close(self, path: Path) -> None:
        """Raise what has been found."""
        if self.findings:
            raise ConfigError(tuple(dict.fromkeys(self.findings)), subject=str(path))


def _changed(path: Path) -> str:
    """When a file or folder that decides pictures was last changed, moved here or deleted."""
    folders = [path.parent / name for name in ("cubes", "styles", "tilematrixsets")]
    entries = (one for folder in folders for one in (folder, *folder.glob("*")))
    times = [one.stat().st_ctime for one in (path, *entries) if one.exists()]
    return "" if not times else datetime.fromtimestamp(max(times), UTC).isoformat()


def _styles(report: _Report, folder: Path) -> dict[str, Style | Described | None]:
    """Styles by name; None where the file has findings."""
    styles: dict[str, Style | Described | None] = {}
    adapter: TypeAdapter[StyleFile] = TypeAdapter(StyleModel)
    for document, model in report.folder(folder, adapter, "StyleFile"):
        known = report.described(document, folder.parent, [((), model)])
        style = None
        if model is not None and (not isinstance(model, SldModel) or model in known):
            style = build_style(model, document.path.stem, known)
        name = document.path.stem if style is None else style.name
        report.once(document, name, styles, "name")
        styles[name] = style
    return styles


def _cubes(
    report: _Report,
    folder: Path,
    styles: Mapping[str, Style | Described | None],
    time: TimePolicy,
) -> dict[str, CubeSettings]:
    cubes: dict[str, CubeSettings] = {}
    sound = {name: style for name, style in styles.items() if style is not None}
    for document, model in report.folder(folder, TypeAdapter(CubeModel), "CubeModel"):
        report.findings.extend(_unknown_styles(document, (*styles, *USUAL_STYLES)))
        if model is not None:
            identifier = model.id or document.path.stem
            report.once(document, identifier, cubes, "id")
            listed = ((("styles", place), one) for place, one in enumerate(model.styles))
            known = report.described(document, folder.parent, listed)
            unread = {one for one in model.styles if isinstance(one, SldModel)} - known.keys()
            if not unread:
                cubes[identifier] = build_cube(model, sound, time, known)
    return cubes


def _unknown_styles(document: Document, known: tuple[str, ...]) -> Iterator[str]:
    """Findings about listed styles: names that are neither configured nor usual, or none."""
    listed = document.data.get("styles")
    for place, style in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(style, str) and style not in known:
            text = f"no style '{style}'; the styles are {', '.join(known)}"
            yield document.finding(("styles", place), text)
        elif isinstance(style, dict) and not style.get("name"):
            yield document.finding(("styles", place), "a style written here needs a 'name'")


def _tile_matrix_sets(report: _Report, folder: Path) -> tuple[TileMatrixSet, ...]:
    """Sets beside the well-known ones, whose names they may not take."""
    sets: dict[str, TileMatrixSet] = {}
    adapter = TypeAdapter(TileMatrixSetModel)
    taken = {one.id: one for one in well_known_sets()}
    for document, model in report.folder(folder, adapter, "TileMatrixSet", ("json",)):
        if model is not None:
            one = build_tile_matrix_set(model, document.path.stem)
            report.once(document, one.id, sets | taken, "id")
            sets[one.id] = one
    return tuple(sets.values())


def _recipes(report: _Report, folder: Path) -> dict[str, RecipeSettings]:
    recipes: dict[str, RecipeSettings] = {}
    for document, model in report.folder(folder, TypeAdapter(RecipeModel), "RecipeModel"):
        if model is not None:
            name = model.name or document.path.stem
            report.once(document, name, recipes, "name")
            recipes[name] = build_recipe(model)
    return recipes
