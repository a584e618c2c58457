"""The API's description: what FastAPI derives, completed with the error shape and the way in."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from factoryops.api.permissions import ACCESS
from factoryops.api.problems import PROBLEM_TYPE
from factoryops.contracts.http import Problem

DESCRIPTION: Final = """\
The one way into a FactoryOps service. Log in with `POST /api/v1/session`, then send `Authorization: Bearer <token>`.
A session opens exactly one factory; what belongs to another answers 404, as if it did not exist.

Times are ISO 8601 in UTC, columns of history carry whole microseconds since 1970. Every error is
`application/problem+json` with the request's id, which is also in the header `X-Request-ID`.

**Live** (`GET /api/v1/live`, WebSocket): within five seconds the client sends
`{"type": "hello", "token": "…"}` as text, then `{"type": "subscribe", "is_all": true, "most_frames_per_s": 10}` or
`{"type": "subscribe", "series": [1, 2]}` as often as it likes (64 KiB at most). The service sends binary MessagePack
maps told apart by `type`: `welcome`, `samples` (columns as little-endian bytes), `alarm`, `run`, `plant`, `inbox`,
`beat` (every second). It closes with 4400 for a message it does not understand, 4401 when the session is not or no
longer good, 4429 for too many connections or messages, 1013 when the client is too slow: connect again and take a full
picture.
"""

_ERRORS: Final = {
    "400": ("BadRequest", "The body cannot be read."),
    "401": ("NotLoggedIn", "There is no session, or it has ended."),
    "403": ("NotAllowed", "The role does not permit it."),
    "404": ("NotFound", "It does not exist, or belongs to another factory."),
    "409": ("Conflict", "Somebody else changed it first, or it already exists."),
    "413": ("TooLarge", "The body is larger than 1 MiB."),
    "422": ("InvalidInput", "The request does not fit this description; `fields` says where."),
    "429": ("TooManyRequests", "Too often; `Retry-After` says when again."),
    "500": ("InternalError", "A fault of the service; the log has it under the request's id."),
    "503": ("Unavailable", "A part of the service is away; `Retry-After` says when again."),
}
_WITH_IDS: Final = frozenset(
    {
        "getAlarmPerformance",
        "getBinned",
        "getStatistics",
        "listAlarmEvents",
        "listDeliveries",
        "previewNotifications",
    }
)
"""Operations that take ids in their query."""
_OPEN: Final = frozenset(name for name, access in ACCESS.items() if access.permission is None)


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description (OpenAPI 3.1)."""
    document = get_openapi(
        title="FactoryOps", version=app.version, openapi_version="3.1.0", summary="A control room for factories.",
        description=DESCRIPTION, routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )  # fmt: skip
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    components["responses"] = {name: _error(text) for name, text in _ERRORS.values()}
    components["securitySchemes"] = {"session": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"session": []}]
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
    return document


def _error(text: str) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": text, "content": content}


def _complete(operation: dict[str, Any]) -> None:
    identity = operation["operationId"]
    has_body = "requestBody" in operation
    has_id = any(parameter["in"] == "path" for parameter in operation.get("parameters", []))
    left_out = set() if has_body else {"400", "413", "409"}
    if not (has_id or has_body or identity in _WITH_IDS):
        left_out.add("404")
    if identity in _OPEN:
        left_out.add("403")
    if identity == "getHealth":
        operation["security"] = [{}, {"session": []}]
    elif identity in _OPEN:
        operation["security"] = []
        left_out |= set() if has_body else {"401", "429"}
    for status, (name, _) in _ERRORS.items():
        if status not in left_out:
            operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
