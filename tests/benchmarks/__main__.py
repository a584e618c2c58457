"""`python -m tests.benchmarks [name …]`: run the measurements, print a table, write bench-results.json."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figure import Figure

FOLDER = Path(__file__).parent
RESULTS = Path("bench-results.json")


def main() -> None:
    """Measure what was asked for, or everything."""
    console = Console()
    wanted = sys.argv[1:] or sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    figures: list[Figure] = []
    for name in wanted:
        console.print(f"Measuring {name} ...")
        started = time.monotonic()
        figures += importlib.import_module(f"tests.benchmarks.bench_{name}").measure()
        console.print(f"  done in {time.monotonic() - started:.0f} s")
    show(console, figures)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    RESULTS.write_text(
        json.dumps({"machine": machine, "figures": [asdict(one) for one in figures]}, indent=2) + "\n", encoding="utf-8"
    )
    console.print(f"Written to {RESULTS}.")


def show(console: Console, figures: list[Figure]) -> None:
    """The figures beside what was asked."""
    table = Table("what", "measured", "asked", "how", box=None, pad_edge=False)
    for figure in figures:
        table.add_row(figure.name, f"{figure.value:,.4g} {figure.unit}", figure.asked, figure.note)
    console.print(table)


if __name__ == "__main__":
    main()
