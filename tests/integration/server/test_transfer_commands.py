"""`import` and `export` on the plant server: in, looked at first, and out again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from factoryops.database.database import Database
from factoryops.domain.identity import Role, Scope
from factoryops.server.command_line import main

Command = Callable[..., str]
TABLE = "time,flow,state\n" + "".join(f"2026-03-01 06:00:{n:02},{n}.5,{'on' if n % 2 else 'off'}\n" for n in range(60))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`factoryops-service` in this process; fails when the command does."""
    settings = tmp_path / "factoryops.toml"
    settings.write_text('data_folder = "data"\n', encoding="utf-8")

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["factoryops-service", "--config", str(settings), *arguments])
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise AssertionError(capsys.readouterr().err) from end
        return capsys.readouterr().out

    run("factory", "add", "works", "--timezone", "Europe/Berlin")
    return run


def test_a_table_is_looked_at_imported_and_exported_again(command: Command, tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    table.write_text(TABLE, encoding="utf-8")
    looked = command("import", str(table), "--device", "old-pump", "--dry-run")
    assert "60 samples of 1 parameters would be imported" in looked
    assert "not_a_number" in looked
    assert "row 2, state: off" in looked
    taken = command("import", str(table), "--device", "old-pump", "--texts")
    assert "120 samples of 2 parameters were imported" in taken
    assert "2 parameters are new" in taken
    assert list((tmp_path / "data" / "run" / "imports").glob("*.json")) == []
    again = command("import", str(table), "--device", "old-pump", "--texts", "--resume")
    assert "120 values take the place of imported ones" in again
    out = tmp_path / "new.csv"
    said = command(
        "export", str(out), "--start", "2026-03-01", "--end", "2026-03-02", "--parameter", "flow", "--spreadsheet"
    )
    assert "60 rows of 1 parameters were exported" in said
    text = out.read_text(encoding="utf-8-sig")
    assert "2026-03-01T05:00:59Z;old-pump;flow;59,5" in text
    command("export", str(tmp_path / "all.parquet"), "--start", "2026-03-01", "--end", "2026-03-02")
    back = command("import", str(tmp_path / "all.parquet"), "--dry-run")
    assert "120 values take the place of imported ones" in back
    assert _audited(tmp_path) == ["history.import"] * 2 + ["history.export"] * 2


def _audited(folder: Path) -> list[str]:
    database = Database.open(f"sqlite:///{folder / 'data' / 'factoryops.db'}")
    try:
        (factory,) = database.read(lambda tx: tx.factories.list())
        entries = database.read(lambda tx: tx.audit(Scope(factory.id, "test", Role.ADMIN)).list())
    finally:
        database.close()
    return [one.action for one in reversed(entries) if one.action.startswith("history.")]


def test_what_cannot_be_done_is_one_sentence(command: Command, tmp_path: Path) -> None:
    for arguments, sentence in (
        (("import", str(tmp_path / "none.csv"), "--device", "d"), "cannot be read"),
        (("import", __file__, "--plan", __file__), "no plan of an import"),
        (("export", str(tmp_path / "a.csv"), "--start", "soon", "--end", "2026-03-02"), "A time is written"),
        (("export", str(tmp_path / "a.csv"), "--start", "2026-03-02", "--end", "2026-03-01"), "span is empty"),
        (("export", str(tmp_path / "a.csv"), "--start", "2026-03-01", "--end", "2026-03-02"), "no parameter to export"),
        (
            ("export", str(tmp_path / "a.csv"), "--start", "2026-03-01", "--end", "2026-03-02", "--device", "x"),
            "such a",
        ),
    ):
        with pytest.raises(AssertionError, match=sentence):
            command(*arguments)
