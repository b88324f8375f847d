"""What is known of a job, as it lies on disk."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from datacube import errors
from datacube.errors import DatacubeError

type State = Literal["accepted", "running", "successful", "failed"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job is to make.

    Parameters
    ----------
    process : str
    inputs : mapping, as they were given
    base_url : str, public URL under which it was asked for
    document : bool, whether the results are in a document rather than given as they are
    reference : bool, whether a link to them is given in their place
    """

    process: str
    inputs: Mapping[str, Any]
    base_url: str
    document: bool = False
    reference: bool = False


@dataclass(frozen=True, slots=True)
class ResultFile:
    """The file of a job that has ended well.

    Parameters
    ----------
    media_type : str
    disposition : str, the header Content-Disposition, empty where there is none
    size : int, bytes
    """

    media_type: str
    disposition: str
    size: int


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Parameters
    ----------
    id : str, 32 hexadecimal digits, drawn at random
    wish : Wish
    values : int, that are to be read
    nbytes : int, of these values
    created, updated : float, seconds since 1970
    started, finished : float, optional; the same
    state : ``accepted``, ``running``, ``successful``, ``failed``
    progress : int, per cent
    message : str, how it goes, or why it does not
    failure : str, class of the error that ended it
    file : ResultFile, optional

    Examples
    --------
    >>> job = Job("00ff", Wish("coverage", {"f": "csv"}, "http://host"), 10, 40, 1.0, 1.0)
    >>> read(written(job)) == job
    True
    """

    id: str
    wish: Wish
    values: int
    nbytes: int
    created: float
    updated: float
    started: float | None = None
    finished: float | None = None
    state: State = "accepted"
    progress: int = 0
    message: str = ""
    failure: str = ""
    file: ResultFile | None = None

    @property
    def size(self) -> int:
        """Bytes that its file takes, or probably will."""
        if self.file is not None:
            return self.file.size
        return 0 if self.finished is not None else self.nbytes

    @property
    def error(self) -> DatacubeError:
        """The error that ended it."""
        kind = getattr(errors, self.failure, None)
        known = isinstance(kind, type) and issubclass(kind, DatacubeError)
        return kind(self.message) if known and kind is not None else DatacubeError(self.message)


def written(job: Job) -> bytes:
    """A job as JSON."""
    return json.dumps(asdict(job), ensure_ascii=False).encode("utf-8", "replace")


def read(text: bytes) -> Job:
    """A job from its JSON."""
    found = json.loads(text)
    file = found.pop("file")
    wish = Wish(**found.pop("wish"))
    return Job(**found, wish=wish, file=None if file is None else ResultFile(**file))
