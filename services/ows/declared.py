"""What a parameter of this server is: said beside the code that reads it, told by the documents."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter beside the standard's.

    Parameters
    ----------
    name : str, in upper case
    meaning : str, a sentence for people
    values : those that it can have; empty where they cannot be listed
    """

    name: str
    meaning: str
    values: tuple[str, ...] = ()
