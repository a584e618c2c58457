"""After a restart ingest knows again how far each device had come, whatever the size of the journal."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.domain.time import US_PER_S
from factoryops.ingest.recall import recall
from factoryops.journal.records import Entry, MessageLedger
from factoryops.journal.writer import JournalWriter

START_US = 1_700_000_000 * US_PER_S
KEYS = [SeriesKey("f", f"device-{number // 2}", f"p{number % 2}") for number in range(40)]


@pytest.mark.parametrize("seed", range(5))
def test_each_device_is_found_where_its_last_on_time_sample_stands(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    newest: dict[tuple[str, str], int] = {}
    watermark_us = 0
    with JournalWriter(tmp_path / "journal.db") as writer:
        for number in range(400):
            moment_us = START_US + number * 20_000
            keys = chance.sample(KEYS[: chance.choice((4, 20, 40))], 4)
            is_late = [chance.random() < 0.3 for _ in keys]
            times_us = [moment_us - (5 * US_PER_S if late else 0) for late in is_late]
            samples = SampleColumns.of((series_id(key), time, 1.0) for key, time in zip(keys, times_us, strict=True))
            samples.flags[:] = [SampleFlag.LATE if late else 0 for late in is_late]
            for key, late in zip(keys, is_late, strict=True):
                if not late:
                    newest[key[:2]] = moment_us
            mark_us = moment_us - 2 * US_PER_S if number % 50 == 0 else 0
            watermark_us = max(watermark_us, mark_us)
            writer.append(Entry(moment_us, MessageLedger(number, number), samples, mark_us), KEYS)
    found = recall(tmp_path / "journal.db")
    assert (found.newest_us, found.watermark_us) == (newest, watermark_us)
    assert found.last_received_us == START_US + 399 * 20_000


def test_an_empty_folder_recalls_nothing(tmp_path: Path) -> None:
    found = recall(tmp_path / "journal.db")
    assert (found.newest_us, found.watermark_us, found.last_received_us) == ({}, 0, 0)
