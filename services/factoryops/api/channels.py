"""Live samples for everybody who asked for the same: filtered, coalesced and encoded once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from factoryops.contracts import live
from factoryops.domain.identity import FactoryId
from factoryops.domain.samples import SERIES_ID_BITS, SampleColumns
from factoryops.domain.time import now_us

MOST_FRAMES_PER_S: Final = 60.0
LEAST_FRAMES_PER_S: Final = 0.1
_MOST_SAMPLES: Final = 40_000
"""In one frame, so that none is larger than 1 MB."""


class Member(Protocol):
    """A client of a channel."""

    def offer(self, frame: bytes) -> None:
        """Send a frame."""
        ...


class ChannelKey(NamedTuple):
    """What clients of one channel have in common; `series` is None for all of the factory."""

    factory: FactoryId
    series: frozenset[int] | None
    frames_per_s: float


def key_of(factory: FactoryId, request: live.Subscribe) -> ChannelKey:
    """The channel of a subscription; ids that cannot exist are left out, the rate is brought into its bounds."""
    rate = min(MOST_FRAMES_PER_S, max(LEAST_FRAMES_PER_S, request.most_frames_per_s))
    if request.is_all:
        return ChannelKey(factory, None, rate)
    return ChannelKey(factory, frozenset(one for one in request.series if 0 < one < 1 << SERIES_ID_BITS), rate)


class Channel:
    """The first samples after a quiet spell go out at once; those that follow too soon wait for the clock together."""

    def __init__(self, key: ChannelKey, watermark: Callable[[], int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._wanted: npt.NDArray[np.int64] | None = None
        if key.series is not None:
            self._wanted = np.fromiter(sorted(key.series), np.int64, len(key.series))
        self._interval_s = 1 / key.frames_per_s
        self._watermark = watermark
        self._waiting: list[SampleColumns] = []
        self._received_us = 0
        self._sent_at = -self._interval_s
        self._timer: asyncio.TimerHandle | None = None
        self.members: set[Member] = set()

    def take(self, samples: SampleColumns, received_us: int) -> None:
        """Pass on what of `samples` was asked for."""
        if self._wanted is not None:
            samples = samples.take(np.isin(samples.series, self._wanted))
        if not len(samples):
            return
        self._waiting.append(samples)
        self._received_us = max(received_us, self._received_us)
        if self._timer is None:
            self._timer = self._loop.call_at(max(self._loop.time(), self._sent_at + self._interval_s), self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._sent_at = self._loop.time()
        samples, self._waiting = SampleColumns.joined(self._waiting), []
        for start in range(0, len(samples), _MOST_SAMPLES):
            self._send(samples.take(np.arange(start, min(start + _MOST_SAMPLES, len(samples)))))

    def _send(self, samples: SampleColumns) -> None:
        frame = live.encode_frame(
            live.Samples.of(samples, received_us=self._received_us, watermark_us=self._watermark(), sent_us=now_us())
        )
        for member in list(self.members):
            member.offer(frame)

    def close(self) -> None:
        """Drop what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()


class Channels:
    """All channels that somebody listens to."""

    def __init__(self, watermark: Callable[[], int]) -> None:
        self._watermark = watermark
        self._channels: dict[ChannelKey, Channel] = {}
        self._of_member: dict[Member, ChannelKey] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._channels)

    def subscribe(self, member: Member, key: ChannelKey) -> None:
        """Put a member into a channel and out of its old one."""
        self.leave(member)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(key, self._watermark)
        channel.members.add(member)
        self._of_member[member] = key

    def leave(self, member: Member) -> None:
        """Take a member out; a channel without members ends."""
        key = self._of_member.pop(member, None)
        if key is None:
            return
        channel = self._channels[key]
        channel.members.discard(member)
        if not channel.members:
            channel.close()
            del self._channels[key]

    def take(self, samples: Sequence[tuple[FactoryId, SampleColumns]], received_us: int) -> None:
        """Pass samples on to the channels of their factory."""
        for factory, part in samples:
            for key, channel in self._channels.items():
                if key.factory == factory:
                    channel.take(part, received_us)
