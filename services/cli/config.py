"""``datacube config check``."""

from pathlib import Path

import click

from datacube.config.load import load_config


@click.group("config")
def config_group() -> None:
    """Look at a configuration."""


@config_group.command("check", short_help="Check FILE and the folders beside it.")
@click.argument("file", type=click.Path(path_type=Path))
def check_command(file: Path) -> None:
    """Check FILE and the folders beside it: every problem with file and line.

    The folders are cubes, styles, recipes, tilematrixsets. Leaves with 1 where there is a problem.
    """
    config = load_config(file)
    click.echo(
        f"{file}: sound; {len(config.cubes)} cubes, {len(config.styles)} styles are configured"
    )
