"""Options that several commands have, and how tables and JSON are written."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

store_option: Decorator = click.option(
    "--store",
    "store",
    required=True,
    envvar="DATACUBE_STORE",
    show_envvar=True,
    metavar="URL",
    help="Local path, s3://, gs://, az:// or https://.",
)
recipe_option: Decorator = click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML that says which fields, names and texts.",
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
json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def write_json(document: object) -> None:
    """A JSON document on standard output."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


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
