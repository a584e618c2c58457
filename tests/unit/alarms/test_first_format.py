"""An update goes on from what the first version saved: nothing is lost, nothing is raised again."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest

from factoryops.alarms.engine import AlarmEngine
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.identity import alarm_id
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import US_PER_S
from factoryops.journal.records import Batch, Entry, MessageLedger
from tests.support.rules import limit_rule

KEY = SeriesKey("f1", "pump-1", "pressure")
NAMES = {int(series_id(KEY)): KEY}
RULE = limit_rule("r" * 32, device_keys=["pump-1"], off_delay_s=10.0, response="Open the bypass.")


def batch(seq: int, second: float, value: float) -> Batch:
    time_us = int(second * US_PER_S)
    samples = SampleColumns.of([(series_id(KEY), time_us, value)])
    return Batch(seq, Entry(time_us, MessageLedger(), samples, watermark_us=time_us))


def running() -> AlarmEngine:
    engine = AlarmEngine()
    engine.set_rules([RULE])
    engine.feed(batch(1, 1, 6.0), NAMES)
    engine.feed(batch(2, 2, 4.0), NAMES)
    return engine


def as_first_saved(engine: AlarmEngine, **changes: Any) -> bytes:
    """The state of an engine in the shape of the first format."""
    saved = msgspec.msgpack.decode(zlib.decompress(engine.dump()))
    old = {
        "id": "r" * 32, "factory_id": "f1", "version": 1, "name": "Pressure high", "parameter_key": "pressure",
        "comparison": "gt", "limit": 5.0, "priority": 2, "device_keys": ["pump-1"], "deadband": 0.0, "on_delay_s": 0.0,
        "off_delay_s": 10.0, "is_enabled": True, "response": "Open the bypass.",
    }  # fmt: skip
    evaluator = saved["evaluator"] | {"rules": [old]}
    return zlib.compress(msgspec.msgpack.encode(saved | {"format": 1, "evaluator": evaluator} | changes))


def test_a_running_delay_and_the_annunciations_go_on() -> None:
    engine = AlarmEngine.restored(as_first_saved(running()), 2, NAMES)
    assert engine.set_rules([RULE]) == []
    (cleared,) = engine.feed(batch(3, 12, 4.0), NAMES)
    assert (cleared.kind, cleared.at_us, cleared.annunciation) == ("cleared", 12 * US_PER_S, 1)
    (raised,) = engine.feed(batch(4, 13, 6.0), NAMES)
    assert (raised.annunciation, raised.alarm_id) == (2, alarm_id("f1", RULE.rule.id, "pump-1"))
    assert raised.response == "Open the bypass."


def test_the_same_rules_as_the_database_converted_them_are_no_change() -> None:
    restored = AlarmEngine.restored(as_first_saved(running()), 2, NAMES)
    (held,) = restored.rules.values()
    assert held.rule == RULE.rule
    assert held.devices == RULE.devices


@pytest.mark.parametrize("blob", [b"", b"nonsense", zlib.compress(b"\xc1"), zlib.compress(msgspec.msgpack.encode({}))])
def test_what_is_no_state_is_said_to_be_damaged(blob: bytes) -> None:
    with pytest.raises(DamagedFileError, match="cannot be read"):
        AlarmEngine.restored(blob, 2, NAMES)


def test_a_first_state_without_its_rules_is_damaged_and_one_of_tomorrow_is_newer() -> None:
    with pytest.raises(DamagedFileError, match="cannot be read"):
        AlarmEngine.restored(as_first_saved(running(), evaluator={}), 2, NAMES)
    with pytest.raises(DamagedFileError, match="newer program"):
        AlarmEngine.restored(as_first_saved(running(), format=99), 2, NAMES)
