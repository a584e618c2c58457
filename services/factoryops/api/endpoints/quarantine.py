"""What could not be accepted: grouped, and message by message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, TypeVar

from fastapi import Query

from factoryops.api.call import Asking, Call
from factoryops.contracts import http
from factoryops.contracts.http.quarantine import Origin, Reason
from factoryops.domain.errors import UnavailableError
from factoryops.domain.time import from_us
from factoryops.journal.quarantine import Filter, HeldMessage, QuarantineGroup, QuarantineReader

T = TypeVar("T")

_PAGE: Final = 100
_SHOWN_BYTES: Final = 8_192

Replayed = Mapping[tuple[int, int], int]
"""When messages were put into the history, by number and receive time."""


async def list_quarantine(
    asking: Asking,
    before: Annotated[int | None, Query(ge=1, le=(1 << 62))] = None,
    reason: Annotated[Reason | None, Query()] = None,
    origin: Annotated[Origin | None, Query()] = None,
) -> http.QuarantinePage:
    """Messages of this factory that were received and could not be accepted, newest first; of one group if asked."""
    replayed = await replayed_messages(asking)
    chosen = Filter(reason, origin)
    rows = await in_quarantine(asking, lambda reader: reader.messages(chosen, before=before, most=_PAGE + 1))
    messages = [describe_message(row, replayed) for row in rows[:_PAGE]]
    return http.QuarantinePage(messages=messages, next_before=messages[-1].number if len(rows) > _PAGE else None)


async def list_quarantine_groups(asking: Asking) -> http.QuarantineGroupList:
    """The same messages grouped by reason and origin, each group with its newest message as an example."""
    replayed = await replayed_messages(asking)
    found = await in_quarantine(asking, lambda reader: groups_with_examples(reader, replayed))
    return http.QuarantineGroupList(groups=[_describe_group(group, held, replayed) for group, held in found])


async def replayed_messages(asking: Call) -> Replayed:
    """Which messages were put into the history after all; not known while the database is away."""
    try:
        return await asking.read(lambda tx: tx.quarantine_marks(asking.scope).replayed())
    except UnavailableError:
        return {}


async def in_quarantine(asking: Call, work: Callable[[QuarantineReader], T]) -> T:
    """The answer of a question to the factory's quarantine."""
    return await asking.service.pool.run(_with_reader, asking, work)


def _with_reader(asking: Call, work: Callable[[QuarantineReader], T]) -> T:
    reader = QuarantineReader(asking.service.context.journals["journal"], asking.scope.factory_id)
    try:
        return work(reader)
    finally:
        reader.close()


def groups_with_examples(reader: QuarantineReader, replayed: Replayed) -> list[tuple[QuarantineGroup, HeldMessage]]:
    """Every group with its newest message; one whose example was dropped meanwhile is gone itself."""
    groups = reader.groups(replayed)
    examples = {held.number: held for held in reader.numbered(group.newest for group in groups)}
    return [(group, examples[group.newest]) for group in groups if group.newest in examples]


def _describe_group(group: QuarantineGroup, example: HeldMessage, replayed: Replayed) -> http.QuarantineGroup:
    return http.QuarantineGroup(
        reason=group.reason, origin=group.origin, is_device=group.is_device, count=group.count,
        replayed=group.replayed, first_at=from_us(group.first_us), last_at=from_us(group.last_us),
        example=describe_message(example, replayed),
    )  # fmt: skip


def describe_message(row: HeldMessage, replayed: Replayed) -> http.QuarantinedMessage:
    """A message as clients see it."""
    payload, is_hex = readable(row.payload[:_SHOWN_BYTES])
    replayed_us = replayed.get((row.number, row.received_us))
    return http.QuarantinedMessage(
        number=row.number, received_at=from_us(row.received_us), client=row.client, topic=readable(row.topic)[0],
        reason=row.reason, detail=row.detail, payload=payload, is_hex=is_hex, size_bytes=len(row.payload),
        device=row.device, replayed_at=None if replayed_us is None else from_us(replayed_us),
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
