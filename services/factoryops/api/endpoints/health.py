"""Which promises hold, what could not be accepted, and the API's own description."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from factoryops.api.call import Asking, Call
from factoryops.contracts import http
from factoryops.domain.time import from_us
from factoryops.journal.reader import JournalReader

_PAGE: Final = 100
_SHOWN_BYTES: Final = 8_192


async def get_health(asking: Asking) -> Response:
    """Which promises hold. Without a session only the status is told."""
    if asking.who is None:
        return JSONResponse({"status": asking.service.health.summary.status})
    health = await asking.service.pool.run(asking.service.health.full)
    return Response(health.model_dump_json(), media_type="application/json")


async def get_description(request: Request) -> Response:
    """This description (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())


async def list_quarantine(
    asking: Asking, before: Annotated[int | None, Query(ge=1, le=(1 << 62))] = None
) -> http.QuarantinePage:
    """Messages of this factory that were received and could not be accepted, newest first."""
    rows = await asking.service.pool.run(_quarantined, asking, before)
    messages = [_described(row) for row in rows[:_PAGE]]
    return http.QuarantinePage(messages=messages, next_before=messages[-1].number if len(rows) > _PAGE else None)


class _Row(msgspec.Struct, frozen=True):
    number: int
    received_us: int
    client: str
    reason: str
    detail: str
    topic: bytes
    payload: bytes


def _quarantined(asking: Call, before: int | None) -> list[_Row]:
    reader = JournalReader(asking.service.context.journals["journal"])
    try:
        rows = reader.quarantined(asking.scope.factory_id, before=before, most=_PAGE + 1)
    finally:
        reader.close()
    return msgspec.convert(rows, list[_Row])


def _described(row: _Row) -> http.QuarantinedMessage:
    payload, is_hex = readable(row.payload[:_SHOWN_BYTES])
    return http.QuarantinedMessage(
        number=row.number, received_at=from_us(row.received_us), client=row.client, topic=readable(row.topic)[0],
        reason=row.reason, detail=row.detail, payload=payload, is_hex=is_hex, size_bytes=len(row.payload),
    )  # fmt: skip


def readable(data: bytes) -> tuple[str, bool]:
    """Bytes as text where they are text that can be shown, else as hexadecimal; the second says which."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) < _SHOWN_BYTES or error.start < len(data) - 3:
            return data.hex(), True
        text = data[: error.start].decode("utf-8")  # the cut went through a letter
    is_plain = all(letter.isprintable() or letter in "\t\r\n" for letter in text)
    return (text, False) if is_plain else (data.hex(), True)
