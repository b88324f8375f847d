"""Options that several commands have, and how tables and JSON are written."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import override

import click

from datacube.config.load import load_recipe
from datacube.config.products import AxisSettings, RecipeSettings
from datacube.model.naming import identifier
from datacube.store.create import Storage
from services.cli.storage import Decorator

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Duration(click.ParamType[timedelta]):
    """A length of time: ``30d``, ``12h``, ``90m``."""

    name = "duration"

    @override
    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,6})([smhdw])", value)
        if found is None:
            self.fail(f"'{value}' is no duration such as 30d, 12h or 90m", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


recipe_option: Decorator = click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML that says which fields, names and texts.",
)
storage_option: Decorator = click.option(
    "--storage",
    type=click.Choice(("plain", "icechunk")),
    help="Make new cubes as plain Zarr groups (default) or as Icechunk repositories.",
)
bad_option: Decorator = click.option(
    "--bad",
    "bad_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Move files that are refused here, each with its reason beside it.",
)
cube_option: Decorator = click.option(
    "--cube", metavar="ID", help="Cube id; else made from the product."
)
retries_option: Decorator = click.option(
    "--retries",
    type=click.IntRange(0),
    default=2,
    show_default=True,
    help="How often a source is tried again where storage or network fail.",
)
label_option: Decorator = click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="AXIS=TEXT",
    help="Place of the sources along an axis: scenario=E1.",
)
grace_option: Decorator = click.option(
    "--grace",
    type=Duration(),
    default="1h",
    show_default=True,
    metavar="D",
    help="Keep what was superseded or deleted less long ago; readers may be at it.",
)
json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def recipe_of(
    path: Path | None, labels: Sequence[str], storage: Storage | None = None
) -> RecipeSettings:
    """The recipe of a file, with the places and the storage that were given.

    Raises
    ------
    ConfigError
        The file is no recipe.
    click.BadParameter
        A label is not ``AXIS=TEXT``.
    """
    recipe = RecipeSettings() if path is None else load_recipe(path)
    given = {}
    for one in labels:
        axis, _, text = one.partition("=")
        if identifier(axis, "_") != axis or not text:
            raise click.BadParameter(f"'{one}' is not AXIS=TEXT", param_hint="--label")
        given[axis] = AxisSettings(axis, label=text)
    kept = tuple(one for one in recipe.axes if one.name not in given)
    made = replace(recipe, axes=(*kept, *given.values()))
    return made if storage is None else replace(made, storage=storage)


def write_json(document: object) -> None:
    """A JSON document on standard output; names that are no text are escaped."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    click.echo(text if _is_text(text) else json.dumps(document, indent=2))


def _is_text(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns of text on standard output, two blanks between them."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        text = "  ".join(cells).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


def size_text(nbytes: int) -> str:
    """Bytes for people.

    Examples
    --------
    >>> size_text(999), size_text(14_600_000)
    ('999 B', '14.6 MB')
    """
    size, unit = float(nbytes), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
