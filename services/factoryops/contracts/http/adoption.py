"""Devices that wait to be taken up, and the factory's setting."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import LINE, Key, Received, Sent, example
from factoryops.contracts.http.quarantine import QuarantinedMessage


class FactorySettings(Received):
    """The factory of the session, and what its administrators decide about it.

    Attributes:
        adopts_automatically: devices of the factory's own publishers are taken up with their first message.
    """

    slug: str
    name: str
    timezone: str
    adopts_automatically: bool


class FactoryChange(Sent):
    """What may be changed of a factory; absent fields stay."""

    model_config = example({"adopts_automatically": False})

    adopts_automatically: bool | None = None


class WaitingDevice(Received):
    """A device that publishes and is not taken up: its messages are in quarantine.

    Attributes:
        client: who publishes for it.
        count: its messages in quarantine.
    """

    key: str
    client: str
    count: int
    first_at: datetime
    last_at: datetime
    example: QuarantinedMessage


class WaitingDeviceList(Received):
    """The one heard last first; devices that were declined in the last seven days are left out."""

    devices: list[WaitingDevice]


class DeviceAcceptance(Sent):
    """Take up a device; what it published before can be put into the history by a replay of its messages."""

    model_config = example({"key": "press-7", "name": "Press 7", "area": "Hall 2"})

    key: Key
    name: Annotated[str, Field(max_length=100, pattern=LINE)] = ""
    kind: Annotated[str, Field(max_length=50, pattern=LINE)] = ""
    area: Annotated[str, Field(max_length=100, pattern=LINE)] = ""
    line: Annotated[str, Field(max_length=100, pattern=LINE)] = ""


class DeviceRefusal(Sent):
    """Do not offer a device for seven days."""

    model_config = example({"key": "press-7"})

    key: Key
