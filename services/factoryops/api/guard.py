"""The door of every route: session, permission, allowance, and a body that is safe to parse."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

import numpy as np
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from factoryops.api.call import Call, Service
from factoryops.api.permissions import ACCESS, Access
from factoryops.database.rows import SessionRecord
from factoryops.domain.errors import InvalidInputError, NotAllowedError, NotLoggedInError
from factoryops.domain.identity import Scope

MOST_DEPTH: Final = 150
"""A condition of 64 levels, each an object and a list, fits in; the readers of JSON go deeper than this."""

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?+', re.DOTALL)
_STEP: Final = np.zeros(256, np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1


class GuardedRoute(APIRoute):
    """A route nobody passes without being let in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the door."""
        inner = super().get_route_handler()
        access = ACCESS.get(self.operation_id or "")
        allowed = frozenset(field.alias for field in self.dependant.query_params)

        async def guarded(request: Request) -> Response:
            request.state.call = await _admit(request, access)
            _check_query(request, allowed)
            if self.body_field is not None:
                await _check_body(request)
            return await inner(request)

        return guarded


async def _admit(request: Request, access: Access | None) -> Call:
    service: Service = request.app.state.service
    token = bearer_token(request.headers.get("authorization"))
    if access is not None and access.permission is None:
        who = await service.session_of(token) if token is not None else None
        return Call(service, who, token)
    if token is None:
        raise NotLoggedInError("Log in first.")
    who = await service.session_of(token)
    check_access(who[0], access)
    if access is not None:
        service.rate_limits.take(session_name(who[1]), access.cost)
    return Call(service, who, token)


def bearer_token(header: str | None) -> str | None:
    """The token of an Authorization header; None when there is no header.

    Raises:
        NotLoggedInError: the header is there and holds no bearer token.
    """
    if header is None:
        return None
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer" or not 0 < len(token) <= 256:
        raise NotLoggedInError("The Authorization header must be: Bearer, a space, and the session's token.")
    return token


def check_access(scope: Scope, access: Access | None) -> None:
    """Raise NotAllowedError unless the operation is in the table and the role may do it."""
    if access is None or access.permission is None or not scope.may(access.permission):
        raise NotAllowedError(f"Your role ({scope.role.value}) does not permit this.")


def session_name(session: SessionRecord) -> str:
    """What allowances are counted by."""
    return session.token_sha256


def _check_query(request: Request, allowed: frozenset[str]) -> None:
    unknown = sorted(set(request.query_params) - allowed)
    if unknown:
        fields = {name[:100]: "this parameter does not exist here" for name in unknown[:10]}
        raise InvalidInputError("The address has parameters that do not exist here.", fields=fields)


async def _check_body(request: Request) -> None:
    """Read the body within bounds; what the framework parses afterwards is this very copy."""
    service: Service = request.app.state.service
    most = service.context.limits.body_bytes
    if int(request.headers.get("content-length") or 0) > most:
        raise HTTPException(413)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise HTTPException(413)
        parts.append(part)
    body = b"".join(parts)
    if json_depth(body) > MOST_DEPTH:
        raise InvalidInputError(f"The body is nested more than {MOST_DEPTH} deep.")
    request._body = body  # noqa: SLF001 - where Starlette itself keeps a body that has been read


def json_depth(body: bytes) -> int:
    """How deep arrays and objects are nested in JSON text, in linear time; text that is not JSON gets a bound."""
    steps = _STEP[np.frombuffer(_STRING.sub(b"", body), np.uint8)]
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))
