"""The guard: who may publish what, which samples are late, how many names there may be; and the balance of all that."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.domain.samples import SampleFlag, SeriesKey, series_id
from factoryops.ingest import series_book
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import Publisher
from factoryops.ingest.guard import Guard
from factoryops.ingest.series_book import NAMES_PER_DEVICE
from factoryops.journal.records import Entry, MessageLedger
from tests.support.ingest_folder import PLANT, SNAPSHOT, STRICT_PLANT

NOW_US = 1_800_000_000_000_000
GATEWAY = Publisher("gateway", PLANT.id)
PUMP = Publisher("pump-1", PLANT.id, "pump-1")
BROKER = Publisher("broker plant")


def new_guard() -> Guard:
    guard = Guard({})
    guard.apply(SNAPSHOT)
    return guard


def topic(device: str = "pump-1", slug: str = "riverside") -> bytes:
    return f"factories/{slug}/devices/{device}/telemetry".encode()


def admit(
    guard: Guard, payload: bytes = b'{"metrics":{"a":1}}', *, publisher: Publisher = GATEWAY,
    on: bytes | None = None, is_retained: bool = False,
) -> Entry:  # fmt: skip
    batch = OpenBatch()
    guard.admit(batch, publisher, topic() if on is None else on, payload, NOW_US, is_retained=is_retained)
    return batch.entry(MessageLedger())


def reason(entry: Entry) -> str:
    assert len(entry.quarantined) == 1
    assert len(entry.samples) == 0
    return entry.quarantined[0].reason


def at(time_us: int) -> bytes:
    return b'{"timestamp":"%d.%06d","metrics":{"a":1}}' % divmod(time_us, 1_000_000)


def test_a_message_becomes_samples_under_its_series() -> None:
    entry = admit(new_guard(), b'{"metrics":{"a":1,"b":2.5}}')
    assert entry.samples.series.tolist() == [series_id(SeriesKey(PLANT.id, "pump-1", name)) for name in ("a", "b")]
    assert entry.samples.value.tolist() == [1.0, 2.5]
    assert entry.samples.time_us.tolist() == [NOW_US, NOW_US]
    assert entry.samples.flags.tolist() == [SampleFlag.RECEIVE_TIME] * 2


def test_row_46_a_device_of_one_factory_cannot_publish_for_another() -> None:
    guard = new_guard()
    entry = admit(guard, on=topic("press-1", "hillside"))
    assert reason(entry) == "not_authorised"
    assert entry.quarantined[0].factory == PLANT.id
    assert guard.security_events["not_authorised"] == 1


def test_row_46_not_even_when_the_topic_is_known_from_its_owner() -> None:
    guard = new_guard()
    owner = Publisher("hillside-gateway", STRICT_PLANT.id)
    assert not admit(guard, publisher=owner, on=topic("press-1", "hillside")).quarantined
    assert reason(admit(guard, on=topic("press-1", "hillside"))) == "not_authorised"


def test_row_46_a_device_credential_opens_only_its_device() -> None:
    guard = new_guard()
    assert not admit(guard, publisher=PUMP).quarantined
    assert reason(admit(guard, publisher=PUMP, on=topic("pump-2"))) == "not_authorised"


def test_row_47_a_retained_message_is_no_news() -> None:
    assert reason(admit(new_guard(), publisher=BROKER, is_retained=True)) == "retained"


def test_row_48_a_device_may_have_two_hundred_names_and_known_ones_go_on() -> None:
    guard = new_guard()
    for start in range(0, 10_000, 500):
        metrics = {f"name-{number}": number for number in range(start, start + 500)}
        admit(guard, msgspec.json.encode({"metrics": metrics}))
    assert guard._book.series_count == NAMES_PER_DEVICE
    mixed = admit(guard, b'{"metrics":{"name-5":1,"name-9999":2}}')
    assert mixed.samples.value.tolist() == [1.0]
    assert mixed.ledger.values_refused == {"too_many_parameters": 1}
    assert reason(admit(guard, b'{"metrics":{"name-9999":2}}')) == "too_many_parameters"
    assert guard.security_events["too_many_parameters"] > 0


def test_row_48_a_factory_has_a_budget_too() -> None:
    limit, series_book.SERIES_PER_FACTORY = series_book.SERIES_PER_FACTORY, 3  # type: ignore[misc]  # put back below
    try:
        guard = new_guard()
        kept = [len(admit(guard, on=topic(f"d{number}")).samples) for number in range(5)]
    finally:
        series_book.SERIES_PER_FACTORY = limit  # type: ignore[misc]  # as above
    assert kept == [1, 1, 1, 0, 0]


def test_row_49_unknown_factories_and_devices_are_quarantined() -> None:
    guard = new_guard()
    assert reason(admit(guard, publisher=BROKER, on=topic(slug="nowhere"))) == "unknown_factory"
    assert reason(admit(guard, publisher=BROKER, on=topic("press-2", "hillside"))) == "unknown_device"
    assert not admit(guard, publisher=BROKER, on=topic("press-1", "hillside")).quarantined


def test_a_device_added_to_the_snapshot_may_publish_at_once() -> None:
    guard = new_guard()
    assert reason(admit(guard, publisher=BROKER, on=topic("press-2", "hillside"))) == "unknown_device"
    wider = msgspec.structs.replace(STRICT_PLANT, device_keys=["press-1", "press-2"])
    guard.apply(msgspec.structs.replace(SNAPSHOT, factories=[PLANT, wider]))
    assert not admit(guard, publisher=BROKER, on=topic("press-2", "hillside")).quarantined


def test_a_name_that_cannot_be_shown_is_refused_singly() -> None:
    entry = admit(new_guard(), b'{"metrics":{"":1,"a\\u0000":2,"\\ud800":3,"good":4}}')
    assert entry.samples.value.tolist() == [4.0]
    assert entry.ledger.values_refused == {"invalid_name": 3}


def test_a_sample_older_than_the_watermark_is_late() -> None:
    guard = new_guard()
    guard.watermark_us = NOW_US - 2_000_000
    assert admit(guard, at(NOW_US - 2_000_000)).samples.flags.tolist() == [0]
    assert admit(guard, at(NOW_US - 2_000_001)).samples.flags.tolist() == [SampleFlag.LATE]


def test_a_sample_older_than_its_devices_newest_is_late_and_others_are_not() -> None:
    guard = new_guard()
    admit(guard, at(NOW_US))
    late = admit(guard, at(NOW_US - 1))
    assert late.samples.flags.tolist() == [SampleFlag.LATE]
    assert late.ledger.values_late == 1
    assert admit(guard, at(NOW_US)).samples.flags.tolist() == [0]
    assert admit(guard, at(NOW_US - 1), on=topic("pump-2")).samples.flags.tolist() == [0]


def test_a_dropped_batch_leaves_no_trace() -> None:
    guard = new_guard()
    admit(guard, at(NOW_US - 10))
    kept = dict(guard._book._series)
    dropped = OpenBatch()
    guard.admit(dropped, GATEWAY, topic(), b'{"metrics":{"new":1}}', NOW_US)
    guard.rewind([dropped], kept)
    again = OpenBatch()
    guard.admit(again, GATEWAY, topic(), at(NOW_US - 5).replace(b'"a"', b'"new"'), NOW_US)
    assert again.new_series == [SeriesKey(PLANT.id, "pump-1", "new")]
    assert again.entry(MessageLedger()).samples.flags.tolist() == [0]


def test_values_beyond_exact_whole_numbers_are_counted() -> None:
    assert admit(new_guard(), b'{"metrics":{"a":9007199254740993,"b":5}}').ledger.values_rounded == 1


HOSTILE = (
    b"", b"{", b"[]", b"\xff\xfe", b'{"metrics":{}}', b'{"metrics":{"a":NaN}}', b'{"metrics":{"a":null,"b":1}}',
    b'{"metrics":{"a":1},"timestamp":""}', b'{"metrics":{"a":1},"timestamp":99999999999}', b"[" * 50_000,
    b'{"metrics":{"a":1,"a":2}}', b'{"metrics":{"\\u0000":1}}', b'{"metrics":{"a":' + b"9" * 5_000 + b"}}",
)  # fmt: skip
PLACES = (topic(), topic("x" * 101), topic(slug="nowhere"), topic("press-2", "hillside"), b"", b"\xff", topic("pümp"))


def test_p5_twenty_thousand_messages_of_which_many_are_hostile_balance_exactly() -> None:
    chance = random.Random(5)
    guard, batch, reasons, quarantined = new_guard(), OpenBatch(), Counter[str](), 0
    ledger = MessageLedger()
    for number in range(20_000):
        is_hostile = chance.random() < 0.4
        payload = chance.choice(HOSTILE) if is_hostile else b'{"metrics":{"a":%d,"b":2}}' % number
        place = chance.choice(PLACES) if is_hostile else topic(f"device-{number % 50}")
        guard.admit(batch, chance.choice((GATEWAY, PUMP, BROKER)) if is_hostile else GATEWAY, place, payload, NOW_US)
        if batch.is_full or number == 19_999:
            entry = batch.entry(ledger)
            ledger, batch = entry.ledger, OpenBatch()
            quarantined += len(entry.quarantined)
            reasons.update(one.reason for one in entry.quarantined)
    assert ledger.received == 20_000
    assert ledger.received == ledger.accepted + ledger.quarantined
    assert quarantined == ledger.quarantined == reasons.total()
    assert ledger.values_accepted >= 2 * 11_500
    assert set(reasons) >= {
        "invalid_json",
        "unknown_factory",
        "invalid_topic",
        "not_authorised",
        "duplicate_name",
        "too_deep",
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=60), st.sampled_from([GATEWAY, PUMP, BROKER]))))
def test_p5_whatever_comes_is_counted_once(messages: list[tuple[bytes, bytes, Publisher]]) -> None:
    guard, batch = new_guard(), OpenBatch()
    for place, payload, publisher in messages:
        guard.admit(batch, publisher, place, payload, NOW_US)
        guard.admit(batch, publisher, topic(), payload, NOW_US)
    ledger = batch.entry(MessageLedger()).ledger
    assert ledger.received == 2 * len(messages) == ledger.accepted + ledger.quarantined
