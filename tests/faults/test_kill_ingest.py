"""kill -9 of the ingest role under load: nothing acknowledged is lost, nothing is there in two versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crash_harness import Verdict, crash_run

PLACES = ("recv", "before_commit", "after_commit_before_ack", "after_ack")


def assert_nothing_lost(verdict: Verdict) -> None:
    assert verdict.acked > 100, verdict
    assert (verdict.lost, verdict.twice, verdict.is_balanced) == (0, 0, True), verdict


async def test_kills_at_random_instants_lose_nothing_acknowledged(tmp_path: Path) -> None:
    assert_nothing_lost(await crash_run(tmp_path, kills=4, seed=11))


async def test_kills_at_each_failpoint_lose_nothing_acknowledged(tmp_path: Path) -> None:
    assert_nothing_lost(await crash_run(tmp_path, kills=len(PLACES), seed=5, failpoints=PLACES))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_twenty_five_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    assert_nothing_lost(await crash_run(tmp_path, kills=25, seed=2026, publishers=8))
