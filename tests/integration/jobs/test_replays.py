"""Replays from quarantine: stored with source time, marked, and repeated without effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.domain.time import now_us
from factoryops.history.local.store import LocalHistory
from factoryops.jobs.kinds import perform
from factoryops.jobs.orders import Done, ImportTarget, LocalSource, Order
from factoryops.journal.import_writer import ImportWriter
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Entry, MessageLedger, QuarantinedMessage
from factoryops.journal.writer import JournalWriter
from tests.support.import_place import import_place

PRESSES = http.MappingContent.model_validate(
    {
        "name": "Presses", "topic": "hall2/{device}/state", "time": {"path": "$.t", "form": "ms"},
        "values": [{"parameter": "oil", "path": "$.oil", "scale": 0.1},
                   {"parameter": "mode", "path": "$.mode", "type": "text"}],
    }
)  # fmt: skip
START_US = 1_772_323_200_000_000


@dataclass(frozen=True)
class Place:
    """An installation with messages in quarantine."""

    root: Path
    database: Database
    scope: Scope
    order: Order

    def replay(self, choice: http.QuarantineChoice) -> Done:
        arguments = choice.model_dump(mode="json", exclude_defaults=True)
        return perform(replace_order(self.order, arguments), lambda _: None)

    def imported(self) -> tuple[SampleColumns, JournalReader]:
        reader = JournalReader(self.root / "import.db")
        batches = reader.read(most_rows=10_000)
        reader.close()
        return SampleColumns.joined([batch.samples for batch in batches]), reader

    def marked(self) -> set[int]:
        return {number for number, _ in self.database.read(lambda tx: tx.quarantine_marks(self.scope).replayed())}


def replace_order(order: Order, arguments: dict[str, object]) -> Order:
    return msgspec.structs.replace(order, arguments=arguments)


def _message(
    number: int, factory: str, topic: bytes, body: object, reason: str, device: str = ""
) -> QuarantinedMessage:
    return QuarantinedMessage(
        START_US + number * 1_000_000, topic, json.dumps(body).encode(), reason, "Why.", factory, "gateway", device
    )


def _state(number: int) -> dict[str, object]:
    return {"t": START_US // 1_000 + number * 1_000, "oil": 400 + number, "mode": "auto"}


def _fill(root: Path, factory: str, other: str) -> None:
    presses = [
        _message(n, factory, b"hall2/press-7/state", _state(n),
                 "invalid_topic")
        for n in range(700)
    ]  # fmt: skip
    broken = [_message(900, factory, b"hall2/press-7/state", {"t": "x"}, "invalid_topic")]
    packers = [
        _message(1_000 + n, factory, b"factories/works/devices/packer-2/telemetry", {"metrics": {"packs": n}},
                 "unknown_device", "packer-2")
        for n in range(3)
    ]  # fmt: skip
    theirs = [_message(2_000, other, b"hall2/press-9/state", {"t": START_US // 1_000, "oil": 1}, "invalid_topic")]
    with JournalWriter(root / "journal.db") as writer:
        quarantined = (*presses, *broken, *packers, *theirs)
        ledger = MessageLedger(len(quarantined), 0, len(quarantined))
        writer.append(Entry(now_us(), ledger, quarantined=quarantined))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    url = f"sqlite:///{tmp_path / 'factoryops.db'}"
    database = Database.open(url)
    database.migrate()
    factory = database.run(lambda tx: tx.factories.create("works", "Works", "UTC", adopts_automatically=False))
    other = database.run(lambda tx: tx.factories.create("others", "Others", "UTC"))
    _fill(tmp_path, factory.id, other.id)
    LocalHistory(tmp_path / "history.db").close()
    target = import_place(tmp_path)
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    order = Order(
        http.JobKind.QUARANTINE_REPLAY, "r", factory.id, moment, moment, (), "anna", url,
        LocalSource(str(tmp_path / "history.db")), {"journal": str(tmp_path / "journal.db")}, str(tmp_path), 1 << 30,
        imports=ImportTarget(
            str(target.journal), str(target.checkpoints_folder), str(target.doorbell_folder), 1 << 30
        ),
    )  # fmt: skip
    yield Place(tmp_path, database, Scope(factory.id, "anna", Role.ADMIN), order)
    database.close()


def test_mapped_messages_are_stored_with_their_own_times_and_marked(place: Place) -> None:
    place.database.run(lambda tx: tx.adoption(place.scope).accept("press-7"))
    done = place.replay(http.QuarantineChoice(reason="invalid_topic", mapping=PRESSES))
    assert done.result["messages"] == 701
    assert (done.result["replayed"], done.result["samples"]) == (700, 1_400)
    assert sum(done.result["still_refused"].values()) == 1  # type: ignore[attr-defined]  # a dictionary of counts
    samples, reader = place.imported()
    factory = place.scope.factory_id
    assert set(reader.series.values()) == {SeriesKey(factory, "press-7", name) for name in ("oil", "mode")}
    assert {text for _, text in reader.texts.values()} == {"auto"}
    assert sorted(set(samples.time_us.tolist())) == [START_US + n * 1_000_000 for n in range(700)]
    assert all(flags & SampleFlag.IMPORTED for flags in samples.flags.tolist())
    assert place.marked() == set(range(1, 701))


def test_a_second_replay_stores_the_same_series_and_times_and_marks_nothing_new(place: Place) -> None:
    place.database.run(lambda tx: tx.adoption(place.scope).accept("press-7"))
    choice = http.QuarantineChoice(reason="invalid_topic", mapping=PRESSES)
    first = place.replay(choice)
    once, _ = place.imported()
    assert place.replay(choice).result == first.result
    twice, _ = place.imported()
    assert len(twice) == 2 * len(once)
    unique = twice.sorted_unique()
    assert len(unique) == len(once)
    assert unique.value.tolist() == once.sorted_unique().value.tolist()
    assert place.marked() == set(range(1, 701))


def test_messages_of_a_device_taken_up_since_are_replayed_by_the_present_rules(place: Place) -> None:
    choice = http.QuarantineChoice(reason="unknown_device", origin="packer-2")
    stays = place.replay(choice)
    assert (stays.result["replayed"], stays.result["still_refused"]) == (0, {"unknown_device": 3})
    assert place.marked() == set()
    place.database.run(lambda tx: tx.adoption(place.scope).accept("packer-2"))
    done = place.replay(choice)
    assert (done.result["replayed"], done.result["samples"]) == (3, 3)
    samples, _ = place.imported()
    assert samples.time_us.tolist() == [START_US + (1_000 + n) * 1_000_000 for n in range(3)]
    assert all(flags & SampleFlag.RECEIVE_TIME for flags in samples.flags.tolist())


def test_what_the_device_itself_has_stored_meanwhile_is_not_overwritten(place: Place) -> None:
    place.database.run(lambda tx: tx.adoption(place.scope).accept("press-7"))
    key = SeriesKey(place.scope.factory_id, "press-7", "oil")
    own = SampleColumns.of([(series_id(key), START_US, 1.0)])
    with closing(LocalHistory(place.root / "history.db")) as store:
        store.append(own, {int(series_id(key)): key}, gaps=(), checkpoints={})
    done = place.replay(http.QuarantineChoice(numbers=[1, 2], mapping=PRESSES))
    assert (done.result["replayed"], done.result["samples"], done.result["device_wins"]) == (2, 3, 1)
    samples, _ = place.imported()
    oil = samples.take(samples.series == series_id(key))
    assert oil.time_us.tolist() == [START_US + 1_000_000]
    assert place.marked() == {1, 2}


def test_another_factorys_messages_are_none_of_its_business(place: Place) -> None:
    done = place.replay(http.QuarantineChoice(numbers=[705, 706, 10_000]))
    assert done.result["messages"] == 0


def test_a_replay_waits_for_another_import(place: Place) -> None:
    with ImportWriter(import_place(place.root)), pytest.raises(UnavailableError):
        place.replay(http.QuarantineChoice(reason="unknown_device"))
    assert place.marked() == set()
