"""``datacube register``."""

import click

from datacube.store.register import register
from datacube.store.url import open_store
from services.cli.storage import store_option


@click.command("register")
@click.argument("url")
@click.option("--id", "name", default="", metavar="NAME", help="Name; else that of the group.")
@store_option
def register_command(url: str, name: str, store: str) -> None:
    """Publish the Zarr group, or the NetCDF or HDF5 file, at URL in a store, without a copy.

    Folders and buckets of such files must stand in DATACUBE_VIRTUAL_SOURCES, also of the server.

    In its id the signs : / and . become __; every service takes the name as given, too.
    """
    group = register(open_store(store), url, name)
    for cube in group.cubes:
        fields = ", ".join(cube.description.range_type.names)
        click.echo(f"{cube.id}: {fields}")
    for reason in group.reasons:
        click.echo(f"  left out: {reason}", err=True)
