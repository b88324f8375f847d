"""The progress bar of long commands."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


def progress_bar(count: ProgressColumn) -> Progress:
    """A bar on standard error where that is a terminal, gone at the end; standard output stays.

    Parameters
    ----------
    count : ProgressColumn, how far it is
    """
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        count,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )
