"""``datacube recipe``."""

import click

from datacube.ingest.draft import draft_recipe


@click.command("recipe")
@click.argument("source", metavar="SOURCE")
def recipe_command(source: str) -> int:
    """Draft a recipe for a product: YAML on standard output, to be edited."""
    click.echo(draft_recipe(source), nl=False)
    return 0
