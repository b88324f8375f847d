"""A server of one process, or of several and the one that looks after them.

Little is imported here: what requests need is loaded where they are answered, so that the process
which answers none of them stays small.
"""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from services.app.access import GatheringHandler
from services.app.board import Board
from services.app.counts import make_board
from services.app.place import Place, free_port
from services.app.workers import Work, Workers

if TYPE_CHECKING:
    from services.app.asgi import Application

ARENAS = 1
"""Of the C library, for all threads of a process: what one has let go is there for the others."""
_OF_THE_SERVER = "narenas:1,dirty_decay_ms:4000,muzzy_decay_ms:0"
"""How the HTTP server's allocator keeps what is free: soon given back, in one place."""


def usual_workers() -> int:
    """How many processes answer where nobody says: one for each core, at most four.

    One where processes cannot be forked without danger.
    """
    return min(os.cpu_count() or 1, 4) if sys.platform == "linux" else 1


def serve(
    prepare: "Callable[[Board], Callable[[int], Application]]",
    place: Place,
    started: Callable[[str, int, str], None],
    workers: int = 1,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way.

    What is not answered when the grace is over, or at a second signal, is cut off: the process
    ends, for a thread cannot be stopped.

    Parameters
    ----------
    prepare : callable
        Board -> what makes the application of a worker, by its number. It is called where the
        workers are forked.
    place : Place
    started : callable
        Told the URL when the port is open, how many cubes there are, and what is wrong with the
        store.
    workers : int
        Processes that answer; one is this process itself.

    Raises
    ------
    ConfigError
        The port is taken or not allowed.
    """
    place = replace(place, port=free_port(place.host, place.port))
    board = make_board(workers)
    os.environ.setdefault("_RJEM_MALLOC_CONF", _OF_THE_SERVER)  # read when granian is loaded
    if workers == 1:
        from services.app.process import answer_alone  # noqa: PLC0415  much is loaded with it

        answer_alone(prepare(board)(0), place, started)
        return

    def prepared() -> Work:
        from services.app.process import worker  # noqa: PLC0415  as above

        return worker(prepare(board), place)

    Workers(board, prepared, partial(started, place.url), place.grace).run()


def configure_logging(*, debug: bool = False) -> None:
    """Access lines to standard output, everything else to standard error."""
    access = logging.getLogger("datacube.access")
    access.handlers[:] = [GatheringHandler(sys.stdout)]
    access.propagate = False
    access.setLevel(logging.INFO)
    root = logging.getLogger()
    root.handlers[:] = [_handler(sys.stderr, "%(asctime)s %(levelname)s %(name)s: %(message)s")]
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    logging.getLogger("datacube").setLevel(logging.DEBUG if debug else logging.INFO)
    logging.getLogger("pygeoapi").setLevel(logging.CRITICAL)
    for noisy in ("rasterio", "matplotlib", "botocore", "asyncio", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _handler(stream: Any, pattern: str) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(pattern))
    return handler
