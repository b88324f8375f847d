"""Results of several threads, in order, with a bounded number of them held."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice

AHEAD = 6


def ahead[T, R](
    pool: Executor, work: Callable[[T], R], items: Iterable[T], count: int = AHEAD
) -> Iterator[R]:
    """Results in order, ``count`` of them computed ahead; no more are held.

    When the iterator is closed, or an item fails, work that has not begun is given up.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(ahead(pool, abs, range(-10, 0)))
    [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    """
    rest = iter(items)
    under_way: list[Future[R]] = [pool.submit(work, item) for item in islice(rest, count)]
    try:
        while under_way:
            result = under_way.pop(0).result()
            under_way += [pool.submit(work, item) for item in islice(rest, 1)]
            yield result
    finally:
        for one in under_way:
            one.cancel()
