"""What the C library is told, seen from processes of their own."""

import os
import platform
import subprocess
import sys

GLIBC = platform.libc_ver()[0] == "glibc"
WORK = """
import sys, threading
import numpy as np
from datacube.store import heap

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

told = heap.keep_freed(2)
base = resident()
held = [np.ones(1 << 20, np.uint8) for _ in range(200)]
kept = held[-1]
del held
before = resident() - base
unused = heap.give_back()
print(int(told), before >> 20, unused >> 20, (resident() - base) >> 20)
"""


def numbers(**environment):
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("MALLOC_")}
    found = subprocess.run(
        [sys.executable, "-c", WORK],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(one) for one in found.stdout.split()]


def test_blocks_stay_for_the_next_and_go_when_they_are_too_many():
    told, before, unused, after = numbers()
    assert before > 150
    assert (told, unused > 150, after < 20) == ((1, True, True) if GLIBC else (0, False, False))


def test_what_the_environment_says_stands():
    assert numbers(MALLOC_ARENA_MAX="4")[0] == 0
