"""Small questions to a storage, asked at the same time where an answer takes a while."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from datacube.store.objects import ObjectStore

_AT_ONCE = 32


def asked_together[A, B](
    store: ObjectStore, ask: Callable[[A], B], about: Sequence[A]
) -> Sequence[B]:
    """What a question gives about each of some things, in order.

    A folder of this machine is asked in turn; behind a network up to 32 answers are waited for at a
    time.

    Parameters
    ----------
    store : ObjectStore that is asked
    ask : one thing -> the answer; safe to call from several threads
    about : the things

    Raises
    ------
    What ``ask`` raises, of the first thing of which it does.
    """
    if store.is_local or len(about) < 2:
        return [ask(one) for one in about]
    with ThreadPoolExecutor(min(len(about), _AT_ONCE), "documents") as pool:
        return list(pool.map(ask, about))
