from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factoryops.contracts.http import JobKind
from factoryops.domain.errors import InvalidInputError, StorageError, UnavailableError
from factoryops.jobs import child, kinds
from factoryops.jobs.attempt import Limits
from factoryops.jobs.orders import ENCODE, ORDER, REPORT, Done, Failed, InfluxSource, LocalSource, Order
from factoryops.jobs.worker import WorkerConfig

START = datetime(2027, 3, 1, tzinfo=UTC)


def order(**changes: object) -> Order:
    fields: dict[str, object] = {
        "kind": JobKind.DAILY_REPORT,
        "run_id": "a" * 32,
        "factory_id": "f" * 32,
        "start": START,
        "end": START + timedelta(days=1),
        "device_ids": ("b" * 32,),
        "requested_by": "anna",
        "database_url": "sqlite:///x.db",
        "history": LocalSource("history.db"),
        "journals": {"journal": "journal.db"},
        "folder": "work",
        "memory_limit_bytes": 1 << 30,
    }
    return Order(**{**fields, **changes})  # type: ignore[arg-type]  # the tests name the fields


@pytest.mark.parametrize(
    "history", [LocalSource("a b.db"), InfluxSource("http://h:8086", "org", "secret", "p-", 10.0, "state.db")]
)
def test_an_order_arrives_as_it_was_given(history: LocalSource | InfluxSource) -> None:
    given = order(history=history)
    line = ENCODE.encode(given)
    assert b"\n" not in line
    assert ORDER.decode(line) == given


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (UnavailableError("The store is away."), False),
        (StorageError("The disk is full."), False),
        (InvalidInputError("The span is empty."), True),
        (MemoryError(), False),
    ],
)
def test_what_may_pass_is_tried_again_and_what_cannot_succeed_is_not(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, is_final: bool
) -> None:
    def fail(_: Order, __: object) -> Done:
        raise error

    monkeypatch.setattr(kinds, "perform", fail)
    stream = io.BytesIO()
    child.carry_out(order(), child.Teller(stream))
    report = REPORT.decode(stream.getvalue())
    assert isinstance(report, Failed)
    assert report.is_final is is_final
    assert report.reason.endswith(".")


@pytest.mark.skipif(sys.platform == "win32", reason="there the parent watches the child's memory")
def test_the_system_refuses_a_child_more_memory_than_it_may_take() -> None:
    script = (
        "from factoryops.jobs import child\n"
        "child.limit_memory(300 << 20)\n"
        "try:\n    bytearray(600 << 20)\nexcept MemoryError:\n    raise SystemExit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9


def test_a_worker_is_limited_to_ten_minutes_and_a_gibibyte_and_keeps_its_secrets_out_of_its_name() -> None:
    assert (Limits().time_s, Limits().memory_bytes) == (600, 1 << 30)
    config = WorkerConfig(
        Path("a"), Path("b"), "mysql+pymysql://u:secret@h/db", InfluxSource("u", "o", "secret", "p", 1, "s")
    )
    assert "secret" not in repr(config)
