"""The real demo store, made once for all test processes."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def demo_store() -> Path:
    """Folder of the demo store; made by ``datacube demo`` where it is not whole yet."""
    folder = ROOT / ".demo"
    folder.mkdir(exist_ok=True)
    made_by = (ROOT / "services" / "demo" / name for name in ("store.py", "fetch.py"))
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in made_by)).hexdigest()[:12]
    store, stamp = folder / "store", folder / f"store-{digest}.made"
    with (folder / "test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            command = [sys.executable, "-m", "services", "demo", "--store", str(store)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            stamp.touch()
    return store
