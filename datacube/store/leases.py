"""Claims for storages without locks: objects that say when they run out."""

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datacube.errors import ConflictError, StorageError

if TYPE_CHECKING:
    from datacube.store.objects import RemoteObjects

LEASE_SECONDS = 900.0
_ALIKE = 60.0  # seconds


@dataclass(slots=True)
class LeaseClaim:
    """A claim that is an object; it runs out some time after that was written."""

    store: "RemoteObjects"
    key: str
    token: str
    taken: float = 0.0
    stranded: bool = False
    left: bool = False
    since: float = field(default_factory=time.time)

    def take(self) -> bool:
        """Make the object, or take over one that has expired."""
        if self.store.put_if(self.key, self._body(), None):
            self.taken = time.monotonic()
            return True
        found = self.store.get_written(self.key)
        if found is None:
            return self.take()
        body, tag, written = found
        # with our own token, the storage reported a repeated put as a second
        self.left = json.loads(body)["token"] != self.token
        if self.left and self._holds(written):
            return False
        self.taken = time.monotonic()
        return self.store.put_if(self.key, self._body(), tag)

    def renew(self) -> None:
        """Prolong the lease once a third of it is over.

        Raises
        ------
        ConflictError
            Another writer has taken the slot over.
        """
        if time.monotonic() - self.taken < LEASE_SECONDS / 3:
            return
        found = self.store.get_tagged(self.key)
        if (
            found is None
            or json.loads(found[0])["token"] != self.token
            or not self.store.put_if(self.key, self._body(), found[1])
        ):
            raise ConflictError(
                f"the claim {self.key} ran out and another writer has taken it; start again",
                subject=self.key,
            )
        self.taken = time.monotonic()

    def release(self) -> None:
        """Delete the object if it is still ours."""
        if self.stranded:
            return
        try:
            found = self.store.get(self.key)
            if found is not None and json.loads(found)["token"] == self.token:
                self.store.delete([self.key])
        except StorageError:
            return  # it will expire

    def strand(self) -> None:
        """Let it expire."""
        self.stranded = True

    def abandon(self) -> None:
        """Let it expire too: what was sent and not acknowledged may still arrive."""
        self.strand()

    def _holds(self, written: float) -> bool:
        """Whether another's lease of that age has not run out.

        The clocks of two machines may differ by more than a lease is long: what seems to have run
        out, or to come from the future, is measured by the clock of the storage.
        """
        if -_ALIKE < time.time() - written < LEASE_SECONDS:
            return True
        return self.store.clock(f"{self.key}-probe-{self.token[:8]}") < written + LEASE_SECONDS

    def _body(self) -> bytes:
        return json.dumps({"token": self.token, "since": self.since}).encode()


def leased_since(body: bytes, written: float) -> float | None:
    """When a claim was taken, in seconds since 1970; None where it ran out.

    Parameters
    ----------
    body : bytes
        The claim's object.
    written : float
        When that was written, by the storage's clock.
    """
    if time.time() - written >= LEASE_SECONDS:
        return None
    return float(json.loads(body).get("since", written))
