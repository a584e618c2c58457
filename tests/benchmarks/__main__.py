"""`python -m tests.benchmarks [name …]`: run the measurements, print a table, write bench-results.json.

A measurement that fails is told and costs the others nothing; the exit code is 1 then.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figure import Figure

FOLDER = Path(__file__).parent
RESULTS = Path("bench-results.json")


def main() -> None:
    """Measure what was asked for, or everything; ends with the number 1 when something could not be measured."""
    console = Console()
    wanted = sys.argv[1:] or sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    figures: list[Figure] = []
    failed: list[str] = []
    for name in wanted:
        console.print(f"Measuring {name} ...")
        started = time.monotonic()
        try:
            figures += importlib.import_module(f"tests.benchmarks.bench_{name}").measure()
        except Exception:  # noqa: BLE001 - this is the supervisor of the measurements
            traceback.print_exc()
            failed.append(name)
        console.print(f"  done in {time.monotonic() - started:.0f} s")
    show(console, figures)
    write(figures, failed)
    console.print(f"Written to {RESULTS}.")
    if failed:
        console.print(f"Not measured: {', '.join(failed)}; what went wrong is above.")
        sys.exit(1)


def write(figures: list[Figure], failed: list[str]) -> None:
    """Keep the figures, and of what there are none, for a program to read."""
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    told = {"machine": machine, "failed": failed, "figures": [asdict(one) for one in figures]}
    RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def show(console: Console, figures: list[Figure]) -> None:
    """The figures beside what was asked."""
    table = Table("what", "measured", "asked", "how", box=None, pad_edge=False)
    for figure in figures:
        table.add_row(figure.name, f"{figure.value:,.4g} {figure.unit}", figure.asked, figure.note)
    console.print(table)


if __name__ == "__main__":
    main()
