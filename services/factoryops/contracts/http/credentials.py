"""What MQTT devices, gateways and tools log in with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import Identifier, Key, Received, Sent, example
from factoryops.domain.credentials import CredentialKind


class Credential(Received):
    """A credential; its secret is told nowhere but in the answer that made it.

    Attributes:
        device_key: the only device it may publish for; None for any of the factory, or for a tool.
        last_used_at: when it was last connected to the service's own endpoint; None when it never was, and for
            credentials that are used at an outside broker.
        previous_until: until when the secret before the last rotation is good; None when no such secret is.
    """

    id: Identifier
    username: str
    kind: CredentialKind
    device_key: str | None
    created_at: datetime
    last_used_at: datetime | None = None
    previous_until: datetime | None = None


class CredentialList(Received):
    """By user name."""

    credentials: list[Credential]


class CredentialRequest(Sent):
    """Make a credential.

    Attributes:
        kind: a device publishes for itself, a gateway for its factory, a tool only looks.
        name: the user name is the factory's slug, a dot and this; by default a random one.
        device_key: whose it is; for a device alone.
    """

    model_config = example({"kind": "device", "name": "press-1", "device_key": "press-1"})

    kind: CredentialKind
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,60}$")] = ""
    device_key: Key | None = None


class RotationRequest(Sent):
    """Give a credential another secret.

    Attributes:
        overlap_h: for how many hours the secret before it stays good.
    """

    model_config = example({"overlap_h": 24})

    overlap_h: Annotated[float, Field(ge=0, le=720, allow_inf_nan=False)] = 24.0


class NewSecret(Received):
    """A credential just made or rotated; the secret cannot be read again.

    Attributes:
        provisioning: what a device needs to know, as one line of JSON for a QR code.
    """

    credential: Credential
    secret: str
    provisioning: str
