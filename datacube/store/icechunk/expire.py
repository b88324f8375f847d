"""Removing old versions from a repository, and what no snapshot needs."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from datacube.store.icechunk.library import failures
from datacube.store.icechunk.repository import IcechunkObjects
from datacube.store.slots import remove_dead_claims, writing_since

LONGEST = timedelta(days=1)
"""While somebody writes, nothing goes that is younger: it may belong to that change."""


def expire(objects: IcechunkObjects, kept: Collection[int]) -> None:
    """Forget every version that is older than those that stay.

    Parameters
    ----------
    objects : IcechunkObjects
    kept : collection of int
        Numbers of the versions that stay; all later ones do too.
    """
    repository, oldest = objects.repository, min(kept)
    known = {_number(name): one for name, one in repository.versions().items()}
    with (
        repository.committing(),
        failures(f"expire versions of the Icechunk repository {repository.url}", repository.folder),
    ):
        for name, head in repository.tags():
            if head.version < oldest:
                repository.inner.delete_tag(name)
        repository.inner.expire_snapshots(known[oldest].written_at)


def free(objects: IcechunkObjects, grace: timedelta, *, dry_run: bool) -> tuple[int, int]:
    """Remove what no snapshot needs and no writer has under way.

    Returns
    -------
    objects, bytes : int
    """
    repository, now = objects.repository, datetime.now(UTC)
    latest = now - grace
    if (since := writing_since(objects.outer, repository.folder)) is not None:
        latest = min(latest, since - LONGEST)
    with failures(f"collect the Icechunk repository {repository.url}", repository.folder):
        if not dry_run:
            remove_dead_claims(objects.outer, repository.folder)
        for name in () if dry_run else repository.left():  # the caller is alone with the history
            repository.inner.delete_branch(name)
        found = repository.inner.garbage_collect(latest, dry_run=dry_run)
    counts = (
        found.chunks_deleted,
        found.manifests_deleted,
        found.snapshots_deleted,
        found.attributes_deleted,
        found.transaction_logs_deleted,
    )
    return sum(counts), int(found.bytes_deleted)


def _number(manifest: str) -> int:
    return int(manifest.rpartition("/")[2].partition("-")[0])
