"""What the journal takes, how long its limit lasts, and what is said as it fills up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.ingest.config import IngestConfig
from factoryops.ingest.growth import JournalGrowth
from factoryops.ingest.pipeline import Pipeline
from factoryops.ingest.problems import ProblemList
from factoryops.ingest.upkeep import JournalUpkeep
from factoryops.journal.records import Entry
from factoryops.journal.writer import JournalWriter


class Sources:
    """Stands in for the pipeline: remembers why it is paused."""

    def __init__(self) -> None:
        self.reasons: set[str] = set()

    def pause(self, reason: str) -> None:
        self.reasons.add(reason)

    def resume(self, reason: str) -> None:
        self.reasons.discard(reason)

    def is_paused_for(self, reason: str) -> bool:
        return reason in self.reasons

    @staticmethod
    async def on_journal_thread(work: Callable[[], None]) -> None:
        work()


class Kept:
    """A journal with its upkeep, whose limit a test may move."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer = JournalWriter(folder / "journal.db")
        self.sources, self.problems = Sources(), ProblemList()

    def upkeep(self, limit_bytes: int) -> JournalUpkeep:
        config = IngestConfig(
            journal_path=self.folder / "journal.db", checkpoints_folder=self.folder, doorbell_folder=self.folder,
            heartbeat_folder=self.folder, snapshot_path=self.folder / "s", snapshot_key=b"k",
            size_limit_bytes=limit_bytes, other_journals=(self.folder / "derived.db", self.folder / "import.db"),
        )  # fmt: skip
        return JournalUpkeep(config, self.writer, cast("Pipeline", self.sources), self.problems)

    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems.all()]


@pytest.fixture(autouse=True)
def _roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**12, free=10**12))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    (tmp_path / "derived.db").write_bytes(b"x" * 1_000_000)
    yield made
    made.writer.close()


@pytest.mark.parametrize(
    ("share", "codes"),
    [
        (0.4, []),
        (0.55, ["journal_half_full"]),
        (0.85, ["journal_nearly_full"]),
        (0.97, ["journal_full"]),
        (1.1, ["journal_full"]),
    ],
)
async def test_each_level_is_one_problem_and_calculated_values_count(
    kept: Kept, share: float, codes: list[str]
) -> None:
    upkeep = kept.upkeep(int((kept.writer.used_bytes() + 1_000_000) / share))
    await upkeep.look()
    assert kept.codes() == codes
    assert kept.sources.is_paused_for("full") == (share > 1)
    assert upkeep.figures()["journal_share"] == pytest.approx(share, abs=0.01)


async def test_reading_goes_on_below_95_percent_and_the_message_changes(kept: Kept) -> None:
    size = kept.writer.used_bytes() + 1_000_000
    await kept.upkeep(size).look()
    assert "nothing more is received" in kept.problems.all()[0].message
    await kept.upkeep(int(size / 0.96)).look()
    assert kept.sources.is_paused_for("full")
    await kept.upkeep(int(size / 0.94)).look()
    assert not kept.sources.is_paused_for("full")
    assert "94% full" in kept.problems.all()[0].message


async def test_a_disk_that_fills_up_is_told_before_it_is_full(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    upkeep = kept.upkeep(1 << 40)
    for free_gb, codes in ((400, []), (40, ["disk_low"]), (60, [])):
        usage = SimpleNamespace(total=10**12, free=free_gb * 10**9)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        await upkeep.look()
        assert kept.codes() == codes


@pytest.mark.parametrize(("total", "reserve"), [(10**12, 256 << 20), (10**9, 2 * 10**7)], ids=["large", "small"])
async def test_before_the_disk_is_full_nothing_more_is_received_until_there_is_room_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, total: int, reserve: int
) -> None:
    upkeep = kept.upkeep(1 << 40)
    for share, codes in ((1.1, ["disk_low"]), (0.9, ["disk_full"]), (1.1, ["disk_full"]), (1.6, ["disk_low"])):
        usage = SimpleNamespace(total=total, free=int(reserve * share))
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        await upkeep.look()
        assert kept.codes() == codes
        assert kept.sources.is_paused_for("disk") == ("disk_full" in codes)


async def test_a_journal_that_was_found_damaged_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database at all, but long enough to look like one" * 20)
    kept = Kept(tmp_path)
    await kept.upkeep(1 << 40).look()
    assert kept.codes() == ["journal_damaged"]
    kept.writer.close()


def test_growth_is_the_rate_of_the_last_five_minutes() -> None:
    growth = JournalGrowth()
    growth.note(0, 0.0)
    assert growth.bytes_per_hour is None
    assert growth.hours_left(1_000) is None
    for at_s in range(1, 3_600):
        growth.note(at_s * 1_000 if at_s < 1_800 else 1_800_000 + (at_s - 1_800) * 10, float(at_s))
        if at_s == 1_700:
            assert growth.bytes_per_hour == pytest.approx(3_600_000)
    assert growth.bytes_per_hour == pytest.approx(36_000)
    assert growth.hours_left(72_000) == pytest.approx(2.0)
    assert growth.hours_left(-5) == 0.0


@pytest.mark.parametrize(("metrics", "messages"), [(1, 100), (10, 10), (10, 1_000)])
def test_the_handbooks_formula_holds(kept: Kept, metrics: int, messages: int) -> None:
    """docs/reference/journal-budget.md: 80 bytes per commit and 15 to 25 per value, here within a quarter."""
    rng = np.random.default_rng(7)
    keys = [SeriesKey("f" * 32, f"d{number}", f"p{metric}") for number in range(1_000) for metric in range(metrics)]
    ids = np.array([series_id(key) for key in keys], np.int64).reshape(-1, metrics)
    kept.writer.append(Entry(1, kept.writer.ledger), keys)
    before, written = kept.writer.used_bytes(), kept.writer.written_bytes
    for commit in range(50):
        who = (np.arange(messages) + commit * messages) % len(ids)
        count = messages * metrics
        times = np.repeat(1_750_000_000_000_000 + commit * 10_000 + rng.integers(0, 5, messages) * 1_000, metrics)
        values = np.round(rng.normal(50, 10, count), 2)
        samples = SampleColumns(ids[who].ravel(), times, values, np.zeros(count, np.uint8))
        kept.writer.append(Entry(commit + 2, kept.writer.ledger, samples))
    used = kept.writer.used_bytes() - before
    per_value = (used / 50 - 80) / (messages * metrics)
    assert 15 * 0.75 < per_value < 25 * 1.25
    assert kept.writer.written_bytes - written == pytest.approx(used, rel=0.25)
