"""The one way errors leave the service: problem+json (RFC 9457) with a request id."""

from __future__ import annotations

import logging
from typing import Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from factoryops.contracts.http import OUTDATED_TYPE, Problem
from factoryops.domain.errors import (
    ConflictError,
    FactoryOpsError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotLoggedInError,
    OutdatedError,
    TooManyAttemptsError,
    UnavailableError,
)

logger = logging.getLogger(__name__)

PROBLEM_TYPE: Final = "application/problem+json"

_KINDS: Final[tuple[tuple[type[FactoryOpsError], int, str], ...]] = (
    (NotFoundError, 404, "Not found"),
    (NotAllowedError, 403, "Not allowed"),
    (NotLoggedInError, 401, "Not logged in"),
    (ConflictError, 409, "Conflict"),
    (InvalidInputError, 422, "Invalid input"),
    (TooManyAttemptsError, 429, "Too many requests"),
    (UnavailableError, 503, "Unavailable"),
)
_BROKEN: Final = "The service failed to answer; the fault was logged under this request's id."
_PLAIN: Final = {
    400: ("Bad request", "The request's body cannot be read."),
    404: ("Not found", "There is nothing at this address."),
    405: ("Method not allowed", "This address does not answer that method."),
    413: ("Too large", "The request's body is larger than 1 MiB."),
}


def request_id_of(request: Request) -> str:
    """The id the edge gave this request."""
    return str(getattr(request.state, "request_id", ""))


def problem_response(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    fields: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    kind: str = "about:blank",
) -> Response:
    """The response of a problem."""
    problem = Problem(
        type=kind, title=title, status=status, detail=detail, request_id=request_id_of(request), fields=fields or {}
    )
    return Response(problem.model_dump_json(), status, headers, PROBLEM_TYPE)


async def answer_error(request: Request, error: Exception) -> Response:
    """The response of one of our own errors; those without a kind of their own are faults of ours."""
    for kind, status, title in _KINDS:
        if isinstance(error, kind):
            fields = error.fields if isinstance(error, InvalidInputError) else None
            return problem_response(
                request, status, title, str(error), fields=fields, headers=_headers_of(error), kind=_type_of(error)
            )
    return await answer_fault(request, error)


def _type_of(error: FactoryOpsError) -> str:
    return OUTDATED_TYPE if isinstance(error, OutdatedError) else "about:blank"


def _headers_of(error: FactoryOpsError) -> dict[str, str]:
    if isinstance(error, UnavailableError):
        return {"Retry-After": str(max(1, error.retry_after_s))}
    if isinstance(error, NotLoggedInError):
        return {"WWW-Authenticate": "Bearer"}
    return {}


async def answer_invalid(request: Request, error: Exception) -> Response:
    """The response to a request that does not fit the contract, with the reason per field."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    fields = {_place(one["loc"]): str(one["msg"]).removeprefix("Value error, ") for one in error.errors()}
    named = "; ".join(f"{field}: {reason}" for field, reason in list(fields.items())[:3])
    detail = f"The request cannot be used: {named}."
    return problem_response(request, 422, "Invalid input", detail, fields=fields)


def _place(location: tuple[int | str, ...]) -> str:
    inner = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    return ".".join(map(str, inner)) or str(location[0])


async def answer_plain(request: Request, error: Exception) -> Response:
    """The response to what the framework itself refuses: unknown addresses, methods, unreadable bodies."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    title, detail = _PLAIN.get(error.status_code, ("Refused", "The request cannot be answered."))
    return problem_response(request, error.status_code, title, detail, headers=dict(error.headers or {}))


async def answer_fault(request: Request, error: Exception) -> Response:
    """The response to a fault of ours: no trace leaves the service, the log has it."""
    logger.error("request %s failed", request_id_of(request), exc_info=error)
    return problem_response(request, 500, "Internal error", _BROKEN)
