"""A command of the operator's own that is run after each source of an ingest."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import click

from datacube.ingest.report import Event, IngestReport, SourceResult
from services.cli.lines import carried_on, one_line
from services.cli.storage import Decorator

SECONDS = 300
"""How long such a command may take."""

_STDERR = 2
_TOLD = frozenset({"ingested", "partial", "refused", "failed"})


def _words(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """The program and its arguments.

    Raises
    ------
    click.BadParameter
        There is no such program.
    """
    del context, parameter
    if value is None:
        return None
    try:
        words = tuple(shlex.split(value))
    except ValueError as error:
        raise click.BadParameter(f"{value}: {error}") from error
    if not words or shutil.which(words[0]) is None:
        raise click.BadParameter(f"there is no program '{words[0] if words else ''}'")
    return words


after_option: Decorator = click.option(
    "--after",
    callback=_words,
    metavar="COMMAND",
    help="Run this after each source that went in or could not; it reads what became of it as "
    "JSON on standard input.",
)


@dataclass(eq=False)
class After:
    """Runs the command for what became of each source.

    Parameters
    ----------
    words : tuple of str, program and arguments; None where none is wanted
    store : str, URL
    first : callable of Event, told before the command runs

    Attributes
    ----------
    failed : bool
        Whether it ended with another code than 0, or did not end, at least once.
    """

    words: tuple[str, ...] | None
    store: str
    first: Callable[[Event], None]
    failed: bool = False

    def event(self, event: Event) -> None:
        """Pass an event on; run the command if a source went in or could not."""
        self.first(event)
        if self.words is not None and isinstance(event, SourceResult) and event.status in _TOLD:
            why = self._run(event)
            if why:
                self.failed = True
                with carried_on():
                    click.echo(
                        one_line(f"{event.source}: --after {self.words[0]}: {why}"), err=True
                    )

    def code(self, code: int) -> int:
        """The exit code of an ingest; 3 where all went in and the command failed."""
        return code or (3 if self.failed else 0)

    def _run(self, result: SourceResult) -> str:
        """What went wrong."""
        assert self.words is not None  # noqa: S101  asked before
        (said,) = IngestReport((result,)).dump()["sources"]
        environment = {
            **os.environ,
            "DATACUBE_STORE": self.store,
            "DATACUBE_SOURCE": result.source,
            "DATACUBE_STATUS": result.status,
            "DATACUBE_CUBES": " ".join(result.cubes),
        }
        try:
            ended = subprocess.run(  # noqa: S603  the operator's own words, no shell
                self.words,
                input=json.dumps(said | {"store": self.store}, ensure_ascii=False).encode(),
                stdout=_STDERR,  # what is on standard output is ours
                env=environment,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"stopped after {SECONDS} seconds"
        except OSError as error:
            return error.strerror or str(error)
        return f"ended with {ended.returncode}" if ended.returncode else ""
