"""Which of two products of one instant stands above the other, by what their names say."""

import re
from datetime import UTC, datetime

_STAGE = 1 << 40  # more than any time in seconds
_STAGES = {
    **dict.fromkeys(("PRELIMINARY", "PRELIM", "NRT", "NRTI", "NR"), -1),
    **dict.fromkeys(("FINAL", "NTC", "NT", "RPRO", "REPROCESSED"), 1),
}
_SAID = re.compile(
    r"(?:^|[-_.])(PRELIMINARY|PRELIM|NRTI?|FINAL|NTC|RPRO|REPROCESSED)(?=[-_.]|$)", re.IGNORECASE
)
_SENTINEL_3 = re.compile(r"^S3[A-D]_.*_(\d{8}T\d{6})_.*_[A-Z]_(NR|ST|NT)_\d{3}")
_MADE = re.compile(r"^S(?:2|5P).*_(\d{8}T\d{6})(?:\.|$)")


def timeliness_of(product: str) -> str:
    """``draft``, ``final``, or nothing where the name does not say it.

    Examples
    --------
    >>> timeliness_of("oisst.20200101_preliminary.nc"), timeliness_of("oisst.20200101.nc")
    ('draft', '')
    """
    return {-1: "draft", 1: "final"}.get(_STAGES.get(_said(product)[0], 0), "")


def revision_of(product: str) -> int:
    """Rank of a product's values: its stage, then the time at which it was made.

    Near real time and preliminary products stand below those that say nothing of it, and final
    and reprocessed ones above; Sentinel products of one stage are told apart by their time of
    processing.

    Parameters
    ----------
    product : str, file or product name

    Examples
    --------
    >>> names = ("oisst.20200101_preliminary.nc", "oisst.20200101.nc", "oisst.20200101_final.nc")
    >>> ranks = [revision_of(name) for name in names]
    >>> ranks == sorted(set(ranks)), ranks[1]
    (True, 0)
    >>> head = "S3A_OL_2_LFR____20190101T100000_20190101T100300_2019010"
    >>> [revision_of(f"{head}{rest}.SEN3") < revision_of(f"{head}2T180000_180_LN1_O_NT_002.SEN3")
    ...  for rest in ("1T120000_180_LN1_O_NR_002", "2T120000_180_LN1_O_NT_002")]
    [True, True]
    """
    stage, made = _said(product)
    return _STAGES.get(stage, 0) * _STAGE + (_seconds(made) if made else 0)


def _said(product: str) -> tuple[str, str]:
    """The stage and the time of processing in a name; empty where there are none."""
    if found := _SENTINEL_3.search(product):
        return found[2], found[1]
    said, time = _SAID.search(product), _MADE.search(product)
    return said[1].upper() if said else "", time[1] if time else ""


def _seconds(text: str) -> int:
    try:
        return int(datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
