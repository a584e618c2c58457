"""`python -m factoryops.history.local.dump history.db [series]`: read a file of history without a running service.

Without a series: what series, how many blocks and which gaps there are. With one: its samples as CSV. Needs nothing but
the standard library's SQLite and the coding of blocks.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.time import from_us
from factoryops.history.local.codec import decode_block
from factoryops.history.merging import only_series

_BLOCKS = (
    "SELECT series, crc, data FROM block WHERE series = ? OR (series = 0 AND low <= ? AND high >= ?)"
    " ORDER BY written, number"
)


def main(arguments: list[str], out: TextIO) -> int:
    """Run it; returns the exit code."""
    if not 1 <= len(arguments) <= 2 or not Path(arguments[0]).is_file():
        out.write(f"{__doc__ or ''}\n")
        return 2
    with closing(sqlite3.connect(f"file:{arguments[0]}?mode=ro", uri=True)) as connection:
        if len(arguments) == 1:
            _summarise(connection, out)
        else:
            _write_csv(connection, int(arguments[1]), out)
    return 0


def _summarise(connection: sqlite3.Connection, out: TextIO) -> None:
    table = csv.writer(out)
    table.writerow(["series", "factory", "device", "parameter"])
    table.writerows(connection.execute("SELECT id, factory, device, parameter FROM series ORDER BY 2, 3, 4"))
    blocks, samples = connection.execute("SELECT count(*), coalesce(sum(count), 0) FROM block").fetchone()
    out.write(f"\n{blocks} blocks of {samples} samples\n")
    for start_us, end_us, reason in connection.execute("SELECT start_us, end_us, reason FROM gap ORDER BY start_us"):
        out.write(f"{from_us(start_us).isoformat()} to {from_us(end_us).isoformat()}: {reason}\n")


def _write_csv(connection: sqlite3.Connection, series: int, out: TextIO) -> None:
    samples = SampleColumns.joined(list(_parts(connection, series))).sorted_unique()
    texts = dict(connection.execute("SELECT code, text FROM text"))
    table = csv.writer(out)
    table.writerow(["time", "value", "flags"])
    rows = zip(samples.time_us.tolist(), samples.value.tolist(), samples.flags.tolist(), strict=True)
    table.writerows(
        (from_us(time_us).isoformat(), texts.get(int(value), value) if flags & SampleFlag.TEXT else value, flags)
        for time_us, value, flags in rows
    )


def _parts(connection: sqlite3.Connection, series: int) -> Iterator[SampleColumns]:
    """The samples of every sound block, the oldest seal first, so that the last one of a time counts."""
    for owner, crc, data in connection.execute(_BLOCKS, (series, series, series)):
        if zlib.crc32(data) == crc:
            samples = decode_block(data, owner)
            yield samples if owner else only_series(samples, series)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
