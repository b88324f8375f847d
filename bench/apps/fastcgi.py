"""Run a FastCGI program some times on one listening socket: ``fastcgi.py SOCKET COUNT PROGRAM``."""

import contextlib
import signal
import socket
import subprocess
import sys
from pathlib import Path

gate, count, program = sys.argv[1:]
with contextlib.suppress(FileNotFoundError):
    Path(gate).unlink()
listener = socket.socket(socket.AF_UNIX)
listener.bind(gate)
listener.listen(64)
Path(gate).chmod(0o777)
children = [subprocess.Popen([program], stdin=listener.fileno()) for _ in range(int(count))]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    for child in children:
        child.wait()
finally:
    for child in children:
        child.kill()
