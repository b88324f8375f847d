"""The models of a retention policy, and the policy that is made of them."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from datacube.config.base import Model
from datacube.errors import DatacubeError
from datacube.model.time import Timestamp
from datacube.store.retention import Age, Hold, Policy, Rule, Supersession

_AGE = re.compile(r"(\d{1,5}) (hours|days|weeks|months|years)")
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d)?Z)?)?)?")


def _age(text: str) -> str:
    if text != "for ever" and _AGE.fullmatch(text) is None:
        raise ValueError(f"'{text}' is no length of time: write 36 months, 8 days or for ever")
    return text


def _time(text: str) -> str:
    if not text:
        return text
    try:
        Timestamp.parse(text)
    except DatacubeError as error:
        raise ValueError(error.message) from error
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"'{text}' is not written as 2020, 2020-01-31 or 2020-01-31T12:00:00Z")
    return text


AgeText = Annotated[str, AfterValidator(_age)]
TimeText = Annotated[str, AfterValidator(_time)]
Box = tuple[
    Annotated[float, Field(ge=-180, le=180)],
    Annotated[float, Field(ge=-90, le=90)],
    Annotated[float, Field(ge=-180, le=180)],
    Annotated[float, Field(ge=-90, le=90)],
]


class RuleModel(Model):
    """How long some slices are kept."""

    keep: AgeText = Field(description="36 months, 8 days, 0 days … or for ever; from its time.")
    product: str = Field("*", description="Pattern of the product.")
    region: str = Field("*", description="Name of a region.")
    timeliness: Literal["draft", "final", "*"] = Field(
        "*", description="draft: near real time; final: what comes later and stays."
    )


class SupersessionModel(Model):
    """When drafts go because the final product is there."""

    after: AgeText = Field(description="So long after the final product was ingested.")
    product: str = Field("*", description="Pattern of the product.")
    tolerance: Annotated[int, Field(ge=0)] = Field(
        60, description="Seconds between the times of both; where granules name their acquisition, "
        "that counts instead."
    )  # fmt: skip


class HoldModel(Model):
    """Slices that stay whatever the rules say."""

    reason: str = Field(description="Why, for the report.")
    cube: str = Field("*", description="Pattern of the cube id.")
    first: TimeText = Field("", description="ISO 8601; the first time that is held.")
    last: TimeText = Field("", description="ISO 8601; the last time that is held.")

    @model_validator(mode="after")
    def _holds(self) -> "HoldModel":
        if self.last and self.first[: len(self.last)] > self.last:
            raise ValueError(f"it holds nothing: {self.first} is after {self.last}")
        return self


class RetentionModel(Model):
    """What is kept for how long."""

    regions: dict[str, Box] = Field(
        {}, description="West, south, east, north; the first that holds a slice's middle counts."
    )
    rules: tuple[RuleModel, ...] = Field(
        (), description="The first that fits a granule counts; where none does, it stays."
    )
    superseded: tuple[SupersessionModel, ...] = Field(
        (), description="Drafts that make way for final products."
    )
    holds: tuple[HoldModel, ...] = Field((), description="Legal holds.")

    @model_validator(mode="after")
    def _known(self) -> "RetentionModel":
        for rule in self.rules:
            if rule.region != "*" and rule.region not in self.regions:
                names = ", ".join(self.regions) or "none"
                raise ValueError(f"no region '{rule.region}'; the regions are {names}")
        for one in self.superseded:
            if one.after == "for ever":
                raise ValueError("superseded drafts go after some time, not for ever")
        return self


def build_retention(model: RetentionModel) -> Policy:
    """The policy of a file.

    Examples
    --------
    >>> build_retention(RetentionModel(rules=(RuleModel(keep="36 months"),))).rules[0].keep
    Age(count=36, unit='months')
    """
    return Policy(
        tuple(
            Rule(_built(one.keep), one.product, one.region, one.timeliness) for one in model.rules
        ),
        tuple(
            Supersession(age, one.product, timedelta(seconds=one.tolerance))
            for one in model.superseded
            if (age := _built(one.after)) is not None
        ),
        tuple(Hold(one.reason, one.cube, one.first, one.last) for one in model.holds),
        dict(model.regions),
    )


def _built(text: str) -> Age | None:
    found = _AGE.fullmatch(text)
    if found is None:
        return None
    unit = found[2]
    assert unit in {"hours", "days", "weeks", "months", "years"}  # noqa: S101  the pattern says so
    return Age(int(found[1]), unit)  # type: ignore[arg-type]
