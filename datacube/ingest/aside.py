"""Bad files out of the way: moved to a folder, each with the reason beside it."""

import shutil
from pathlib import Path


def set_aside(source: str, folder: Path, reason: str) -> None:
    """Move a local file or product folder, and write ``NAME.reason.txt`` beside it.

    Of a URL only the reason is written. What is there under the same name is kept under a number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(source.partition("?")[0].rstrip("/")).name or "source"
    target = folder / name
    number = 2
    while target.exists() or (folder / f"{target.name}.reason.txt").exists():
        target = folder / f"{number}-{name}"
        number += 1
    why = folder / f"{target.name}.reason.txt"
    why.write_text(f"{source}\n{reason}\n", encoding="utf-8", errors="backslashreplace")
    if "://" not in source and Path(source).exists():
        shutil.move(source, target)
