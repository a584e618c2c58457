"""The import journal of a folder, as tests make it."""

from __future__ import annotations

from pathlib import Path

from factoryops.journal.import_writer import ImportPlace


def import_place(root: Path, **changes: float) -> ImportPlace:
    """`import.db` in `root`, with the folders of an installation beside it."""
    return ImportPlace(
        root / "import.db", root / "run" / "checkpoints", root / "run" / "doorbell",
        **changes,  # type: ignore[arg-type]  # the tests name the fields
    )  # fmt: skip
