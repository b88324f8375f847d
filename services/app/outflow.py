"""How fast a client takes an answer, so that no more of it is made than that.

The HTTP server takes every piece at once and keeps what the network does not take yet. Where the
system tells what the client's side has acknowledged (``TCP_INFO`` of Linux), a sender waits until
little is on its way; elsewhere it does not. Another answer on the same connection (HTTP/2) makes
the number too large, so that more is kept than meant.
"""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.requests import ClientDisconnect

from services.app.asker import Disconnect

ON_ITS_WAY = 16 << 20
"""Bytes that may be between the sender and its client."""

_PAUSE = 0.002  # seconds between two looks
_INFO_BYTES = 192
_ACKNOWLEDGED = 120  # place of tcpi_bytes_acked (linux/tcp.h)


class Outflow:
    """The client's side of one answer; a context manager.

    Parameters
    ----------
    client : (host, port) or None, where it is
    disconnect : Disconnect, of it
    nbytes : int, optional; of all of it, where that is known
    """

    def __init__(
        self, client: tuple[str, int] | None, disconnect: Disconnect, nbytes: int | None = None
    ) -> None:
        self._client = client
        self._disconnect = disconnect
        self._fits = nbytes is not None and nbytes <= ON_ITS_WAY
        self._gone: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None
        self._before = 0

    def __enter__(self) -> Self:
        """Begin to wait for the client's end, and to count what is acknowledged of much."""
        self._gone = self._disconnect.awaited()
        if self._client is not None and sys.platform == "linux" and not self._fits:
            host, port = self._client
            self._socket = connection(host, int(port))
        self._before = acknowledged(self._socket) if self._socket else 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the connection go."""
        if self._socket is not None:
            self._socket.close()

    async def room(self, nbytes: int) -> None:
        """Wait until all but a little of what has been made so far is with the client.

        Parameters
        ----------
        nbytes : int, of the answer so far

        Raises
        ------
        ClientDisconnect
            The client has gone.
        """
        while True:
            if self._gone is not None and self._gone.done():
                raise ClientDisconnect
            if self._socket is None:
                return
            if nbytes - (acknowledged(self._socket) - self._before) <= ON_ITS_WAY:
                return
            await asyncio.sleep(_PAUSE)


def acknowledged(connected: socket.socket) -> int:
    """Bytes that the other side of a TCP connection has acknowledged since it was made."""
    info = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    if len(info) < _ACKNOWLEDGED + 8:  # an old kernel, or another that acts as one
        return sys.maxsize
    return int(struct.unpack_from("=Q", info, _ACKNOWLEDGED)[0])


def connection(host: str, port: int) -> socket.socket | None:
    """This process' TCP connection with a client, as one more handle; None where there is none."""
    for found in _sockets():
        if _is_with(found, host, port):
            return found
        found.close()
    return None


def _sockets() -> Iterator[socket.socket]:
    """A handle of every open socket; the caller closes each."""
    try:
        links = tuple(Path("/proc/self/fd").iterdir())
    except OSError:
        return
    for link in links:
        with suppress(OSError):
            if str(link.readlink()).startswith("socket:"):
                number = os.dup(int(link.name))
                try:
                    found = socket.socket(fileno=number)
                except OSError:
                    os.close(number)
                    raise
                yield found


def _is_with(connected: socket.socket, host: str, port: int) -> bool:
    if connected.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    try:
        peer_host, peer_port = connected.getpeername()[:2]
    except OSError:
        return False
    same = str(peer_host).removeprefix("::ffff:") == host.removeprefix("::ffff:")
    return same and bool(peer_port == port)
