"""How large the data sets are and how long a run takes."""

from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / ".bench"
"""Everything that a run makes: data, environments of the peers, reports."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the data sets and the bounds of a run.

    Parameters
    ----------
    name : str
    sst : (days, height, width); global, int16
    s2 : (dates, side); 10 m cells of UTM 32N, uint16, four bands
    ocean : (steps, levels, height, width); global, float32, three fields
    seconds : float, a round of one server and workload at most
    rounds : int, interleaved, an even number; the report has their medians
    """

    name: str
    sst: tuple[int, int, int]
    s2: tuple[int, int]
    ocean: tuple[int, int, int, int]
    seconds: float
    rounds: int

    @property
    def home(self) -> Path:
        """Folder of the data sets of this scale."""
        return HOME / self.name

    @property
    def words(self) -> str:
        """The sizes for people."""
        days, height, width = self.sst
        dates, side = self.s2
        ocean = " x ".join(map(str, self.ocean))
        return (
            f"sst {days} days x {height} x {width} int16; "
            f"s2 {dates} dates x 4 bands x {side} x {side} uint16; ocean {ocean} float32, 3 fields"
        )


SCALES = {
    one.name: one
    for one in (
        Scale("small", (8, 900, 1800), (1, 2745), (2, 5, 341, 720), 1.0, 4),
        Scale("medium", (32, 1800, 3600), (2, 5490), (3, 20, 341, 720), 2.0, 4),
        Scale("full", (32, 3600, 7200), (3, 10980), (4, 20, 681, 1440), 4.0, 4),
    )
}
