"""Why an alarm was raised or cleared."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from factoryops.contracts.http.parts import Identifier, Received
from factoryops.contracts.transitions import Why, WhyLeaf, WhySample
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import from_us

LeafState: TypeAlias = Literal["true", "false", "unknown"]


class DecidingSample(Received):
    """A sample that decided what a condition said.

    Attributes:
        parameter_key: empty where any sample of the device counts.
        at: as it was judged: corrected by the device's clock offset.
    """

    device_key: str
    parameter_key: str
    at: datetime
    value: float
    is_uncertain: bool

    @classmethod
    def of(cls, sample: WhySample) -> DecidingSample:
        """A sample as it travels."""
        return cls(
            device_key=sample.device_key,
            parameter_key=sample.parameter_key,
            at=from_us(sample.at_us),
            value=sample.value,
            is_uncertain=bool(sample.flags & SampleFlag.UNCERTAIN),
        )


class DecidingLeaf(Received):
    """What one comparison of the condition said.

    Attributes:
        path: its place in the condition: "0.2" is the third part of the first part; "" is the whole.
        text: what it asks, in words.
        value / limit: what was compared, None where there was nothing.
    """

    path: str
    text: str
    state: LeafState
    value: float | None
    limit: float | None
    samples: list[DecidingSample]

    @classmethod
    def of(cls, leaf: WhyLeaf) -> DecidingLeaf:
        """A leaf as it travels."""
        return cls.model_validate(
            {
                "path": leaf.path,
                "text": leaf.text,
                "state": leaf.state,
                "value": leaf.value,
                "limit": leaf.limit,
                "samples": [DecidingSample.of(sample) for sample in leaf.samples],
            }
        )


class AlarmWhy(Received):
    """Why an annunciation began or ended: what each comparison said, and the samples it said it of.

    Attributes:
        at: when the condition turned; a delay may have run after that.
        is_whole: whether these are all comparisons and all their samples.
    """

    alarm_id: Identifier
    annunciation: int
    kind: AlarmEventKind
    at: datetime
    leaves: list[DecidingLeaf]
    is_whole: bool

    @classmethod
    def of(cls, alarm_id: str, annunciation: int, kind: AlarmEventKind, why: Why) -> AlarmWhy:
        """Why something happened, as it travels."""
        return cls(
            alarm_id=alarm_id,
            annunciation=annunciation,
            kind=kind,
            at=from_us(why.at_us),
            leaves=[DecidingLeaf.of(leaf) for leaf in why.leaves],
            is_whole=why.is_whole,
        )
