"""What the service answered, as contract types or as the errors of the domain."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

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

A = TypeVar("A", bound=BaseModel)

_LARGE_BYTES: Final = 32_768
_KINDS: Final[dict[int, type[FactoryOpsError]]] = {
    401: NotLoggedInError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
}


async def parse(response: httpx.Response, answer: type[A]) -> A:
    """The body of a success; large ones are read in a thread, so that the event loop never waits for them."""
    try:
        if len(response.content) > _LARGE_BYTES:
            return await asyncio.to_thread(answer.model_validate_json, response.content)
        return answer.model_validate_json(response.content)
    except ValidationError as error:
        raise UnavailableError(
            "The service's answer cannot be understood; it may be of another version than this program."
        ) from error


def error_of(response: httpx.Response) -> FactoryOpsError:
    """The error that a refusal stands for."""
    problem = _problem(response)
    if problem is None:
        return UnavailableError(f"The service answered with an error ({response.status_code}); try again.")
    if response.status_code in (400, 413, 422):
        return InvalidInputError(problem.detail, fields=problem.fields)
    if response.status_code in (429, 503):
        kind = TooManyAttemptsError if response.status_code == 429 else UnavailableError
        return kind(problem.detail, retry_after_s=_retry_after_s(response))
    if response.status_code == 409 and problem.type == OUTDATED_TYPE:
        return OutdatedError(problem.detail)
    if response.status_code in _KINDS:
        return _KINDS[response.status_code](problem.detail)
    return UnavailableError(f"{problem.detail} Its id is {problem.request_id}.")


def _problem(response: httpx.Response) -> Problem | None:
    if "problem+json" not in response.headers.get("content-type", ""):
        return None
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return None


def _retry_after_s(response: httpx.Response) -> int:
    try:
        return int(response.headers.get("retry-after", "5"))
    except ValueError:
        return 5
