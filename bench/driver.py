"""The load driver: one thread, one epoll, a few kept connections; no library between.

It costs about 20 µs a request, so that servers of many thousand requests a second are measured and
not the driver; the row "constant" shows how far it goes.
"""

import selectors
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import perf_counter

CONNECTIONS = 8
GRACE = 20.0  # seconds that answers under way get after the end of a round
_BUFFER = 1 << 18


@dataclass(slots=True)
class Round:
    """What came of one round.

    Parameters
    ----------
    seconds : float, from the first request to the last answer
    latencies : list of float, seconds, of answers with the wanted status
    nbytes : int, of all bodies
    failures : mapping of what was wrong to how often
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    nbytes: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def fail(self, what: str) -> None:
        """Note an answer that was none."""
        self.failures[what] = self.failures.get(what, 0) + 1


class _Connection:
    """One kept connection with at most one request under way.

    Of an answer no more is kept than what says where it ends: large ones would cost the driver as
    much as some servers.

    Parameters
    ----------
    address : (host, port)
    memory : where all connections receive what is there
    """

    __slots__ = (
        "buffer",
        "chunked",
        "closing",
        "left",
        "memory",
        "nbytes",
        "need",
        "socket",
        "started",
        "status",
    )

    def __init__(self, address: tuple[str, int], memory: memoryview) -> None:
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.memory = memory
        self.started = 0.0
        self._reset()

    def _reset(self) -> None:
        self.buffer = bytearray()  # the head, or the line before a chunk
        self.status = self.nbytes = self.need = self.left = 0
        self.chunked = self.closing = False

    def ask(self, request: bytes) -> None:
        self._reset()
        self.started = perf_counter()
        self.socket.sendall(request)

    def take(self) -> bool:
        """Read what is there; whether the answer is complete."""
        count = self.socket.recv_into(self.memory)
        if not count:
            raise ConnectionError("closed")
        if not self.status:
            self.buffer += self.memory[:count]
            return self._read_head()
        if not self.chunked:
            self.nbytes += count
            return self.nbytes >= self.need
        if count <= self.left:
            self.left -= count
            return False
        self.buffer += self.memory[self.left : count]
        return self._whole()

    def _whole(self) -> bool:
        """Walk along the chunks to the empty one; whether it is there."""
        while (end := self.buffer.find(b"\r\n")) >= 0:
            size = int(bytes(self.buffer[:end]).partition(b";")[0], 16)
            after = end + 2 + size + 2
            if size == 0:
                return len(self.buffer) >= after
            self.nbytes += size
            self.left = max(after - len(self.buffer), 0)
            del self.buffer[:after]
        return False

    def _read_head(self) -> bool:
        """Whether the answer is complete with what came behind its head."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        self.status = int(self.buffer[9:12])
        lines = bytes(self.buffer[:end]).lower()
        del self.buffer[: end + 4]
        self.chunked = b"\r\ntransfer-encoding: chunked" in lines
        self.closing = b"\r\nconnection: close" in lines or lines.startswith(b"http/1.0")
        if self.chunked:
            return self._whole()
        at = lines.find(b"\r\ncontent-length:")
        if at >= 0:
            stop = lines.find(b"\r\n", at + 2)
            self.need = int(lines[at + 17 : stop if stop >= 0 else None])
        self.nbytes = len(self.buffer)
        return self.nbytes >= self.need


def drive(
    port: int,
    requests: Iterable[bytes],
    seconds: float,
    *,
    wanted: int = 200,
    connections: int = CONNECTIONS,
) -> Round:
    """Ask until the requests or the time are used up; what is under way is waited for.

    Parameters
    ----------
    port : int, on 127.0.0.1
    requests : whole HTTP requests
    seconds : float
    wanted : int, the status of a good answer
    connections : int, how many at the same time
    """
    result, queue = Round(), iter(requests)
    address, memory = ("127.0.0.1", port), memoryview(bytearray(_BUFFER))
    started = perf_counter()
    deadline = started + seconds
    with selectors.DefaultSelector() as selector:
        active = sum(
            _begin(_Connection(address, memory), queue, selector) for _ in range(connections)
        )
        while active and perf_counter() < deadline + GRACE:
            for key, _ in selector.select(timeout=1):
                connection: _Connection = key.data
                try:
                    if not connection.take():
                        continue
                except OSError as error:
                    result.fail(f"connection {error}")
                    connection = _renewed(connection, address, selector)
                else:
                    _note(result, connection, wanted)
                more = perf_counter() < deadline
                if connection.closing and more:
                    connection = _renewed(connection, address, selector)
                active -= _next(connection, queue if more else None, selector)
        for key in list(selector.get_map().values()):
            result.fail(f"no answer after {GRACE:.0f} s more")
            _drop(key.data, selector)
    result.seconds = perf_counter() - started
    return result


def _note(result: Round, connection: _Connection, wanted: int) -> None:
    if connection.status == wanted:
        result.latencies.append(perf_counter() - connection.started)
        result.nbytes += connection.nbytes
    else:
        result.fail(f"status {connection.status}")


def _next(
    connection: _Connection, queue: Iterator[bytes] | None, selector: selectors.BaseSelector
) -> int:
    """Ask the next question; 1 where there is none and the connection was let go."""
    request = None if queue is None else next(queue, None)
    if request is None:
        return _drop(connection, selector)
    connection.ask(request)
    return 0


def _renewed(
    connection: _Connection, address: tuple[str, int], selector: selectors.BaseSelector
) -> _Connection:
    _drop(connection, selector)
    fresh = _Connection(address, connection.memory)
    selector.register(fresh.socket, selectors.EVENT_READ, fresh)
    return fresh


def _begin(
    connection: _Connection, queue: Iterator[bytes], selector: selectors.BaseSelector
) -> int:
    request = next(queue, None)
    if request is None:
        connection.socket.close()
        return 0
    selector.register(connection.socket, selectors.EVENT_READ, connection)
    connection.ask(request)
    return 1


def _drop(connection: _Connection, selector: selectors.BaseSelector) -> int:
    selector.unregister(connection.socket)
    connection.socket.close()
    return 1


def http(port: int, path: str, headers: str = "") -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n".encode()
