"""Results of several threads, in order, with a bounded number of them held."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextvars import copy_context
from itertools import islice

from datacube.engine.context import Context
from datacube.slicing.cells import ReadPlan
from datacube.store.source import CubeSource

AHEAD = 6
WAITING = 16
"""Parts of an answer that wait for a network at the same time."""


def ahead[T, R](
    pool: Executor, work: Callable[[T], R], items: Iterable[T], count: int = AHEAD
) -> Iterator[R]:
    """Results in order, ``count`` of them computed ahead; no more are held.

    When the iterator is closed, or an item fails, work that has not begun is given up. Whoever
    waits for the results waits for what the threads do.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(ahead(pool, abs, range(-10, 0)))
    [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    """
    rest = iter(items)

    def begun(most: int) -> list[Future[R]]:
        return [pool.submit(copy_context().run, work, item) for item in islice(rest, most)]

    under_way = begun(count)
    try:
        while under_way:
            result = under_way.pop(0).result()
            under_way += begun(1)
            yield result
    finally:
        for one in under_way:
            one.cancel()


def places_ahead[T, R](
    context: Context,
    store: CubeSource,
    plan: ReadPlan,
    work: Callable[[T], R],
    items: Iterable[T],
    count: int = WAITING,
) -> Iterator[R]:
    """What reading a plan at one place after the other gives; behind a network several at a time.

    Parameters
    ----------
    work : reads the chunks of the plan at an item's place, and waits for nothing else
    """
    if not store.remote:
        return map(work, items)
    # a single chunk is read without further threads of the pool
    threads = context.pool if len(plan.chunks) <= 1 else context.steps
    return ahead(threads, work, items, count)
