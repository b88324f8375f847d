"""The icechunk library, loaded where a cube needs it: storages, errors, calls that wait."""

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from datacube.errors import StorageError

BRANCH = "main"
SPLIT_ROWS = 256
"""Times whose chunk references lie together in one manifest."""


def library() -> Any:
    """The library.

    Raises
    ------
    StorageError
        It is not installed.
    """
    try:
        found = import_module("icechunk")
    except ImportError as error:
        raise StorageError(
            "this needs the library icechunk: pip install 'datacube-server[icechunk]'",
            subject="icechunk",
        ) from error
    if "ICECHUNK_LOG" not in os.environ:
        # it warns of local paths; their commits are made under a lock here
        found.set_logs_filter("error")
    return found


def storage_of(url: str, *, local: bool) -> Any:
    """Icechunk's storage at a URL; the same environment variables apply as elsewhere.

    Raises
    ------
    StorageError
        There is no storage for that scheme.
    """
    icechunk = library()
    if local:
        return icechunk.local_filesystem_storage(str(Path(url).absolute()))
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    match parts.scheme.lower():
        case "s3" | "s3a":
            return icechunk.s3_storage(bucket=parts.netloc, prefix=prefix, **s3_options())
        case "gs" | "gcs":
            return icechunk.gcs_storage(bucket=parts.netloc, prefix=prefix, from_env=True)
        case "az" | "azure" | "abfs" | "abfss":
            account = os.environ.get("AZURE_STORAGE_ACCOUNT_NAME", "")
            return icechunk.azure_storage(
                account=account, container=parts.netloc, prefix=prefix, from_env=True
            )
        case "http" | "https":
            return icechunk.http_storage(url)
    raise StorageError(f"Icechunk has no storage for '{url}'", subject=url)


def s3_options() -> dict[str, Any]:
    """What the environment says of S3: endpoint, region, whether requests are signed."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    anonymous = _is_set("AWS_SKIP_SIGNATURE")
    return {
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        "endpoint_url": endpoint,
        "allow_http": _is_set("AWS_ALLOW_HTTP") or str(endpoint).startswith("http:"),
        "force_path_style": endpoint is not None,
        "anonymous": anonymous,
        "from_env": not anonymous,
    }


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() not in {"", "0", "false"}


@contextmanager
def failures(what: str, subject: str) -> Iterator[None]:
    """Turn the library's errors into ours.

    Raises
    ------
    StorageError
    """
    icechunk = library()
    try:
        yield
    except (icechunk.IcechunkError, OSError, ValueError) as error:
        raise StorageError(f"cannot {what}: {reason_of(error)}", subject=subject) from error


def reason_of(error: Exception) -> str:
    """The first line of an error, without where in the library it arose."""
    text = str(error).strip().partition("\n\ncontext:")[0]
    if "owning the virtual chunk has changed" in text:
        text = f"a file has changed since it was registered; register it again: {text}"
    return " ".join(text.split()) or type(error).__name__


class Gate:
    """Many may pass at the same time, or one alone; who wants to be alone goes before new ones.

    Examples
    --------
    >>> gate = Gate()
    >>> with gate.shared():
    ...     pass
    >>> with gate.alone():
    ...     pass
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._waiting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Pass when nobody is alone or waits to be."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside >= 0 and not self._waiting)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Pass when all others have left."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._inside == 0)
            finally:
                self._waiting -= 1
            self._inside = -1
        try:
            yield
        finally:
            with self._changed:
                self._inside = 0
                self._changed.notify_all()


INTERPRETER = Gate()
"""Calls that end in Python beside those that keep the interpreter to themselves.

The library moves chunk references while it holds the interpreter's lock, and needs its own threads
for that; each of these that ends an asynchronous call waits for the lock. Both at once would wait
for each other for ever, whichever repositories they are of.
"""


class Loops:
    """Event loops for the library's asynchronous calls, one for each thread that is in one.

    Examples
    --------
    >>> async def seven():
    ...     return 7
    >>> Loops().run(seven())
    7
    """

    def __init__(self) -> None:
        self._idle: deque[asyncio.AbstractEventLoop] = deque()
        weakref.finalize(self, _close, self._idle)

    def run[T](self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for a call, on the thread's own time; in an event loop, on another thread's."""
        if _in_a_loop():
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(self.run, call).result()
        try:
            loop = self._idle.pop()
        except IndexError:
            loop = asyncio.new_event_loop()
        try:
            with INTERPRETER.shared():
                return loop.run_until_complete(call)
        finally:
            self._idle.append(loop)


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _close(loops: deque[asyncio.AbstractEventLoop]) -> None:
    while loops:
        loops.pop().close()
