"""Calls that share the interpreter, and those that need it for themselves."""

import threading

from datacube.store.icechunk.library import Gate


def test_many_share_and_one_is_alone():
    gate, together = Gate(), threading.Barrier(3)
    inside: list[str] = []

    def share() -> None:
        with gate.shared():
            together.wait(10)  # only passed when all three are inside

    def alone() -> None:
        for _ in range(200):
            with gate.alone():
                inside.append("in")
                assert len(inside) == 1
                inside.clear()

    for work, threads in ((share, 3), (alone, 2)):
        begun = [threading.Thread(target=work) for _ in range(threads)]
        for thread in begun:
            thread.start()
        for thread in begun:
            thread.join(20)
            assert not thread.is_alive()
