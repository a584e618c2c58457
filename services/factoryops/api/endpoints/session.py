"""Logging in and out."""

from __future__ import annotations

from fastapi import Request

from factoryops.api.call import Asking
from factoryops.contracts import http
from factoryops.database.rows import SessionRecord
from factoryops.domain.identity import permissions_of


async def log_in(request: Request, body: http.LoginRequest, asking: Asking) -> http.LoginAnswer:
    """Open a session for one factory, good for 12 hours. The token belongs in the Authorization header only."""
    address = request.client.host if request.client is not None else ""
    token, session = await asking.service.pool.run(
        asking.service.context.login.open_session,
        body.factory, body.user, body.password.get_secret_value(), address,
    )  # fmt: skip
    return http.LoginAnswer(token=token, session=describe_session(session))


async def get_session(asking: Asking) -> http.SessionInfo:
    """Whose session this is, and what it may do."""
    return describe_session(asking.session)


async def log_out(asking: Asking) -> None:
    """End the session: its token is worth nothing from here on, and its live connections close."""
    token = asking.token or ""
    await asking.service.pool.run(asking.service.context.login.close_session, token)
    asking.service.hub.end_session(token)


def describe_session(session: SessionRecord) -> http.SessionInfo:
    """A session as its user sees it."""
    factory = session.factory
    return http.SessionInfo(
        user=session.user_name,
        role=session.role,
        permissions=sorted(permissions_of(session.role)),
        factory=http.FactoryInfo(id=factory.id, slug=factory.slug, name=factory.name, timezone=factory.timezone),
        expires_at=session.expires_at,
    )
