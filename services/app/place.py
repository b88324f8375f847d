"""Where a server listens, and how it ends."""

import socket
from dataclasses import dataclass

from datacube.errors import ConfigError

GRACE = 10.0  # seconds that requests under way get


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, and how it ends.

    Parameters
    ----------
    host : str
        Address to listen on.
    port : int
        0 takes a free one.
    grace : float
        Seconds that requests under way get.
    """

    host: str
    port: int
    grace: float = GRACE

    @property
    def url(self) -> str:
        """Root of the server."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.port}/"


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0; tried first, since the server's own socket can be shared.

    Raises
    ------
    ConfigError
        It cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            (f"cannot listen on {host}:{port}: {reason}; choose another --host or --port",),
            subject="port",
        ) from error
