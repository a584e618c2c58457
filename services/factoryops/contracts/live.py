"""Frames of the live WebSocket (`/api/v1/live`).

The client sends JSON text (`Hello` first, within 5 s, then `Subscribe` as often as it likes); the service sends binary
MessagePack frames, told apart by their tag. A sample frame carries columns as little-endian bytes, encoded once for
every client that asked for the same series.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from factoryops.domain.samples import SampleColumns

CLOSE_TOO_SLOW: Final = 1013
CLOSE_BAD_MESSAGE: Final = 4400
CLOSE_NOT_LOGGED_IN: Final = 4401
CLOSE_TOO_MANY: Final = 4429
MOST_MESSAGE_BYTES: Final = 64 << 10
"""Largest message a client may send."""


class Hello(msgspec.Struct, frozen=True, tag="hello", forbid_unknown_fields=True):
    """The first message of a client: the session's token."""

    token: str


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe", forbid_unknown_fields=True):
    """Replaces what the client wants to see.

    Attributes:
        series: series ids; ids of other factories are as unknown as ids that do not exist.
        is_all: every series of the factory.
        most_frames_per_s: how often the client redraws; samples in between are kept, not dropped.
    """

    series: list[int] = []
    is_all: bool = False
    most_frames_per_s: float = 10.0


ClientMessage = Hello | Subscribe


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The session is accepted; what follows is complete from `time_us` on."""

    time_us: int
    watermark_us: int
    beat_s: float


class Samples(msgspec.Struct, frozen=True, tag="samples"):
    """New samples of the subscribed series, in the order the journal has them.

    Attributes:
        series / time_us / value / flags: little-endian int64, int64, float64 and uint8 columns of equal length.
        received_us: receive time of the newest of them.
        sent_us: the service's clock when the frame was made.
    """

    series: bytes
    time_us: bytes
    value: bytes
    flags: bytes
    received_us: int
    watermark_us: int
    sent_us: int

    @classmethod
    def of(cls, samples: SampleColumns, *, received_us: int, watermark_us: int, sent_us: int) -> Samples:
        """The frame of `samples`."""
        return cls(
            samples.series.astype("<i8", copy=False).tobytes(),
            samples.time_us.astype("<i8", copy=False).tobytes(),
            samples.value.astype("<f8", copy=False).tobytes(),
            samples.flags.tobytes(),
            received_us,
            watermark_us,
            sent_us,
        )

    def columns(self) -> SampleColumns:
        """The samples of the frame, without copying."""
        return SampleColumns(
            np.frombuffer(self.series, "<i8"),
            np.frombuffer(self.time_us, "<i8"),
            np.frombuffer(self.value, "<f8"),
            np.frombuffer(self.flags, "u1"),
        )


class AlarmChanged(msgspec.Struct, frozen=True, tag="alarm"):
    """An alarm was raised, cleared or acknowledged; never coalesced, never dropped.

    Attributes:
        alarm: JSON of `contracts.http.Alarm`.
    """

    alarm: bytes


class RunChanged(msgspec.Struct, frozen=True, tag="run"):
    """A job's run changed its state or progress.

    Attributes:
        run: JSON of `contracts.http.Run`.
    """

    run: bytes


class FloodsChanged(msgspec.Struct, frozen=True, tag="floods"):
    """A flood of alarms began, goes on with another count, or ended; at most twice a second.

    Attributes:
        floods: JSON of `contracts.http.FloodList`: the whole factory, then each operating position.
    """

    floods: bytes


class PlantChanged(msgspec.Struct, frozen=True, tag="plant"):
    """Devices, parameters or rules changed: ask for them again."""


class InboxChanged(msgspec.Struct, frozen=True, tag="inbox"):
    """A message may have come into the inbox of whoever is logged in: ask for it again."""


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """Sent every `beat_s`; a client that has missed three is disconnected and says so.

    Attributes:
        status: as in `contracts.http.Health`.
        watermark_us: how far the alarm conditions have come.
    """

    time_us: int
    watermark_us: int
    status: str
    problems: list[str] = []


ServiceMessage = Welcome | Samples | AlarmChanged | RunChanged | FloodsChanged | PlantChanged | InboxChanged | Beat

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[ServiceMessage]] = msgspec.msgpack.Decoder(ServiceMessage)
_client_decoder: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)


def encode_frame(message: ServiceMessage) -> bytes:
    """The binary frame of a service message."""
    return _encoder.encode(message)


def decode_frame(frame: bytes) -> ServiceMessage:
    """The service message of a binary frame; raises msgspec.DecodeError."""
    return _decoder.decode(frame)


def decode_client_message(text: str | bytes) -> ClientMessage:
    """The message of a client; raises msgspec.DecodeError or msgspec.ValidationError."""
    return _client_decoder.decode(text)
