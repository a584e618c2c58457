"""What every body is made of: names, numbers, the two kinds of bodies and the one error shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", examples=["01932f0c8e7a7c3fa1b2c3d4e5f60718"])]
LINE = r"^[^\x00-\x1f\x7f]*$"
TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000, pattern=TEXT)]
"""What somebody says about what they do, without white space around it."""
GivenReason = Annotated[Remark, StringConstraints(min_length=1)]
"""A reason that has to be given: white space is none."""
Key = Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the moment must lie within the years 1 to 9999 in UTC too") from error


SentMoment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with its zone, in UTC from here on."""


def example(body: dict[str, Any]) -> ConfigDict:
    """The part of a model's configuration that shows an example in the API's description."""
    return ConfigDict(json_schema_extra={"examples": [body]})


class Sent(BaseModel):
    """A body a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Received(BaseModel):
    """A body the service answers with."""

    model_config = ConfigDict(extra="ignore", frozen=True)


OUTDATED_TYPE: Final = "urn:factoryops:problem:outdated"
"""The `type` of a conflict with somebody else's newer version; other conflicts have none of their own."""


class Problem(Received):
    """The one error shape (RFC 9457, application/problem+json).

    Attributes:
        type: tells apart kinds of errors that share a status; mostly "about:blank".
        title: a short name of the kind of error.
        detail: one sentence a person reads.
        request_id: what to quote when asking for help.
        fields: the reason per field, where single fields are at fault.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    fields: dict[str, str] = {}
