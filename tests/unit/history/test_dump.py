"""A file of history can be read without the service, by the description of its format."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

from factoryops.domain.samples import SampleFlag, text_code
from factoryops.history.local.dump import main
from factoryops.history.local.store import LocalHistory
from factoryops.journal.records import Gap
from tests.support.history_model import FACTORY, START_US, Row, columns, plain_keys

KEYS = plain_keys(2)
A, B = KEYS


def _dumped(*arguments: str) -> list[str]:
    out = io.StringIO()
    assert main(list(arguments), out) == 0
    return out.getvalue().splitlines()


def test_samples_of_shared_and_own_blocks_come_out_as_csv(tmp_path: Path) -> None:
    path, code = tmp_path / "history.db", text_code(FACTORY, "running")
    with closing(LocalHistory(path)) as store:
        many: list[Row] = [(A, START_US + n * 1_000_000, n / 4, 0) for n in range(5_000)]
        store.append(columns(many), KEYS, gaps=[Gap(START_US, START_US + 1, "The broker was away.")], checkpoints={})
        later: list[Row] = [(A, START_US, 99.0, 1), (B, START_US, float(code), SampleFlag.TEXT)]
        store.append(columns(later), KEYS, gaps=(), checkpoints={}, texts={code: (FACTORY, "running")})
        lines = _dumped(str(path), str(A))
        assert (len(lines), lines[0]) == (5_001, "time,value,flags")
        assert lines[1:3] == ["2023-11-14T22:13:20+00:00,99.0,1", "2023-11-14T22:13:21+00:00,0.25,0"]
        assert _dumped(str(path), str(B))[1] == "2023-11-14T22:13:20+00:00,running,16"
        summary = _dumped(str(path))
    assert f"{A},{FACTORY},machine 0,parameter 0" in summary
    assert any("The broker was away." in line for line in summary)


def test_without_a_file_it_says_what_it_is_for() -> None:
    out = io.StringIO()
    assert main([], out) == 2
    assert "without a running service" in out.getvalue()
