"""Logging in, and whose a session is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from factoryops.contracts.http.parts import LINE, Identifier, Received, Sent, example
from factoryops.domain.identity import Permission, Role


class LoginRequest(Sent):
    """Who wants in, to which factory (its slug)."""

    model_config = example({"factory": "riverside", "user": "anna", "password": "a long pass phrase"})

    factory: Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
    user: Annotated[str, Field(min_length=1, max_length=255, pattern=LINE)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=256)]


class FactoryInfo(Received):
    """The one factory a session opens."""

    id: Identifier
    slug: str
    name: str
    timezone: str


class SessionInfo(Received):
    """Who is logged in."""

    user: str
    role: Role
    permissions: list[Permission]
    factory: FactoryInfo
    expires_at: datetime


class LoginAnswer(Received):
    """The opaque token, to be sent as `Authorization: Bearer …`, and whose it is."""

    token: str
    session: SessionInfo
