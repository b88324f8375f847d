"""The option that names the store; every command has it, and it loads nothing."""

from collections.abc import Callable
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
