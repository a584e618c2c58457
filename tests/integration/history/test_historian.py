"""The historian brings every sample from the journals into the store, exactly once, whatever happens between."""

from __future__ import annotations

import asyncio
import errno
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from factoryops.domain.samples import SampleFlag
from factoryops.history.influx.store import InfluxHistory
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.journal.checkpoints import lowest_checkpoint
from factoryops.journal.records import Gap
from tests.support.historian_plant import SERIES, HistorianPlant
from tests.support.history_model import FACTORY, START_US, rows_of
from tests.support.influx_server import stub_config
from tests.support.influx_stub import InfluxStub
from tests.support.waiting import until

ALL = (0, 1 << 62)
A, B = SERIES[:2]


async def test_samples_of_all_journals_arrive_and_imported_ones_say_so(plant: HistorianPlant) -> None:
    plant.write([(A, START_US, 1.0)])
    plant.write([(A, START_US + 1, 2.0)], journal="derived")
    plant.write([(A, START_US + 2, 3.0)], journal="import")
    reader = LocalHistoryReader(plant.folder / "history.db")
    with closing(reader), closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store):
            await until(lambda: plant.is_contained(reader))
        assert [(row[2], row[3]) for row in rows_of(reader.raw(A, *ALL, most=10))] == [
            (1.0, 0),
            (2.0, 0),
            (3.0, SampleFlag.IMPORTED),
        ]
        assert plant.balance(reader) == (3, 3)


async def test_the_journal_is_told_how_far_it_may_trim(plant: HistorianPlant) -> None:
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store):
            seq = plant.write([(A, START_US, 1.0)])
            folder = plant.folder / "run" / "checkpoints"
            await until(lambda: lowest_checkpoint(folder, ["historian"], "journal") == seq)


async def test_what_waits_is_sealed_at_the_stop(plant: HistorianPlant) -> None:
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store, plant.config(seal_every_s=3_600)):
            plant.write([(A, START_US, 1.0)])
        assert rows_of(store.raw(A, *ALL, most=10)) == [(A, START_US, 1.0, 0)]


async def test_much_at_once_is_sealed_before_its_time_and_in_bounded_pieces(plant: HistorianPlant) -> None:
    for first in range(0, 20_000, 500):
        plant.write([(A, START_US + n, float(n)) for n in range(first, first + 500)])
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store, plant.config(seal_every_s=3_600, seal_at_samples=2_000)):
            await until(lambda: plant.is_contained(store))
        assert len(store.raw(A, *ALL, most=100_000)) == 20_000
        assert plant.balance(store) == (20_000, 20_000)


async def test_a_backlog_is_sealed_piece_after_piece_without_a_rest(plant: HistorianPlant) -> None:
    for number in range(40):
        plant.write([(A, START_US + number * 100 + n, float(n)) for n in range(100)])
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store, plant.config(seal_every_s=3_600, seal_at_samples=100)):
            # With the rest of half a second that lets rows gather, forty pieces would take twice as long.
            await until(lambda: plant.is_contained(store), timeout_s=10)
        assert plant.balance(store) == (4_000, 4_000)


async def test_a_second_start_goes_on_where_the_first_ended(plant: HistorianPlant) -> None:
    for value in (1.0, 2.0):
        plant.write([(A, START_US + int(value), value)])
        with closing(LocalHistory(plant.folder / "history.db")) as store:
            async with plant.running(store):
                await until(lambda store=store: plant.is_contained(store))  # type: ignore[misc]  # bound per round
            assert store.ledger().stored == int(value)
            assert store.ledger().replaced == 0


async def test_gaps_in_the_journal_s_entries_are_remembered(plant: HistorianPlant) -> None:
    gap = Gap(START_US, START_US + 5, "The broker lost messages.", FACTORY)
    plant.write([(A, START_US, 1.0)], gaps=[gap])
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store):
            await until(lambda: plant.is_contained(store))
        assert store.gaps(FACTORY, *ALL) == [gap]


async def test_a_missing_and_a_damaged_row_become_gaps_and_the_rest_arrives(plant: HistorianPlant) -> None:
    seqs = [plant.write([(A, START_US + n, float(n))], received_us=START_US + n * 1_000) for n in range(6)]
    connection = apsw.Connection(str(plant.paths["journal"]))
    connection.execute("DELETE FROM batch WHERE seq = ?", (seqs[2],))
    connection.execute("UPDATE batch SET crc = crc + 1 WHERE seq = ?", (seqs[4],))
    connection.close()
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store):
            await until(lambda: store.checkpoint("journal") == seqs[-1])
        assert [row[2] for row in rows_of(store.raw(A, *ALL, most=10))] == [0.0, 1.0, 3.0, 5.0]
        gaps = store.gaps(FACTORY, *ALL)
        assert [(gap.start_us, gap.end_us) for gap in gaps] == [
            (START_US + 1_000, START_US + 3_000),
            (START_US + 3_000, START_US + 5_000),
        ]


async def test_the_heartbeat_tells_both_sides_of_the_ledger(plant: HistorianPlant) -> None:
    seq = plant.write([(A, START_US, 1.0), (A, START_US, 2.0), (B, START_US, 1.0)])
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store):
            await until(lambda: (beat := plant.heartbeat()) and beat.figures["stored"] == 2)
            beat = plant.heartbeat()
            assert beat is not None
            assert beat.figures["replaced"] == 1
            assert beat.figures["checkpoint"]["journal"] == seq
            assert beat.figures["accepted"] == {"journal": 3, "derived": 0, "import": 0}
            assert beat.problems == ()
        assert plant.heartbeat() is None
        async with plant.running(store):
            await until(lambda: (again := plant.heartbeat()) and again.figures["accepted"]["journal"] == 3)


async def test_a_store_that_is_away_loses_nothing_and_is_shown(plant: HistorianPlant) -> None:
    with InfluxStub() as stub:
        config = stub_config(stub)
        stub.fail(503, times=2)
        with closing(InfluxHistory(config, plant.folder / "influx-state.db", plant.paths)) as store:
            async with plant.running(store):
                plant.write([(A, START_US, 1.0)])
                await until(lambda: "store_away" in plant.problems())
                assert plant.balance(store) == (1, 1)
                plant.write([(A, START_US + 1, 2.0)])
                await until(lambda: plant.is_contained(store))
                await until(lambda: not plant.problems())
            assert [row[2] for row in rows_of(store.raw(A, *ALL, most=10))] == [1.0, 2.0]
            assert plant.balance(store) == (2, 2)
            assert (store.ledger().stored, store.ledger().replaced) == (2, 0)


async def test_a_disk_that_cannot_be_written_is_shown_and_recovered_from(plant: HistorianPlant) -> None:
    blocker = None
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        blocker = apsw.Connection(str(plant.folder / "history.db"))
        blocker.execute("BEGIN IMMEDIATE")
        async with plant.running(store):
            plant.write([(A, START_US, 1.0)])
            await until(lambda: "store_away" in plant.problems())
            blocker.execute("ROLLBACK")
            blocker.close()
            await until(lambda: plant.is_contained(store))
        assert plant.balance(store) == (1, 1)


async def test_a_disk_that_takes_no_more_files_does_not_end_it(
    plant: HistorianPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store):
            with monkeypatch.context() as full:
                full.setattr(Path, "write_text", refuse)
                plant.write([(A, START_US, 1.0)])
                await until(lambda: plant.is_contained(store))
            last = plant.write([(A, START_US + 1, 2.0)])
            await until(
                lambda: lowest_checkpoint(plant.folder / "run" / "checkpoints", ["historian"], "journal") == last
            )


async def test_being_more_than_a_minute_behind_is_shown(plant: HistorianPlant) -> None:
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store, plant.config(seal_every_s=3_600)):
            plant.write([(A, START_US, 1.0)], received_us=START_US)
            await until(lambda: "history_behind" in plant.problems())


async def test_it_stops_within_five_seconds_and_leaves_no_heartbeat(plant: HistorianPlant) -> None:
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with asyncio.timeout(5), plant.running(store):
            await until(lambda: plant.heartbeat() is not None)
        assert plant.heartbeat() is None


def test_a_damaged_history_file_is_set_aside_and_filled_again_from_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with HistorianPlant(tmp_path) as plant:
        plant.write([(A, START_US, 1.0)])
        with closing(LocalHistory(path)) as store:
            asyncio.run(_contained(plant, store))
        data = bytearray(path.read_bytes())
        data[100:20_000] = bytes(len(data[100:20_000]))
        path.write_bytes(data)
        with closing(LocalHistory(path)) as store:
            assert store.was_damaged
            asyncio.run(_contained(plant, store))
            assert rows_of(store.raw(A, *ALL, most=10)) == [(A, START_US, 1.0, 0)]
            assert "set aside" in store.gaps(FACTORY, 0, 1)[0].reason
    assert len(list(tmp_path.glob("history.damaged-*.db"))) == 1


async def test_a_history_file_that_breaks_in_use_is_set_aside_and_filled_again(plant: HistorianPlant) -> None:
    path = plant.folder / "history.db"
    with closing(LocalHistory(path)) as store:
        store._connection.pragma("cache_size", 0)
        async with plant.running(store):
            plant.write([(A, START_US, 1.0)])
            await until(lambda: plant.is_contained(store))
            store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            with path.open("r+b") as file:
                file.seek(8_192)
                file.write(b"\xff" * (path.stat().st_size - 8_192))
            plant.write([(A, START_US + 1, 2.0)])
            await until(lambda: store.was_damaged and plant.is_contained(store))
        assert [row[2] for row in rows_of(store.raw(A, *ALL, most=10))] == [1.0, 2.0]
        assert "set aside" in store.gaps(FACTORY, 0, 1)[0].reason


async def test_a_journal_that_cannot_be_read_does_not_keep_the_others_waiting(plant: HistorianPlant) -> None:
    plant.writers["import"].close()
    plant.paths["import"].write_bytes(b"not a database at all, " * 500)
    for companion in plant.folder.glob("import.db-*"):
        companion.unlink()
    seq = plant.write([(A, START_US, 1.0)])
    with closing(LocalHistory(plant.folder / "history.db")) as store:
        async with plant.running(store):
            await until(lambda: store.checkpoint("journal") == seq)


async def _contained(plant: HistorianPlant, store: LocalHistory) -> None:
    async with plant.running(store):
        await until(lambda: plant.is_contained(store))
