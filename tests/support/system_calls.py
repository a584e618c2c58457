"""What a process asks the system for, in its order, as strace wrote it down."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CALLS = "trace=read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync"

_PUBLISH_READ = re.compile(r'(?:read|recvfrom|recvmsg)\(\d+, "[24]')
_ANSWER = re.compile(r'(?:write|sendto|writev|sendmsg)\(\d+, .*"[@P]\\2')
_ROW_WRITE = re.compile(r"pwrite64\(")
_SYNC = re.compile(r"f(?:data)?sync\(")
_SYNC_DONE = re.compile(r"f(?:data)?sync(?:\(\d+\)| resumed>\)).* = 0")


def find_strace() -> str:
    """The program; skips the test by name where there is none, or where it may not trace."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed (Debian: apt install strace)")
    probe = subprocess.run([found, "-f", sys.executable, "-c", ""], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("strace may not trace here (ptrace is not permitted)")
    return found


def order_of_answers(trace: Path) -> list[tuple[bool, int]]:
    """For each PUBACK and PUBREC whether it kept its promise, and its line in the trace.

    The promise: after the PUBLISH was read a row was written, after that a sync began, and it had succeeded before the
    answer left. Messages must be sent one at a time.
    """
    found: list[tuple[bool, int]] = []
    begun: dict[str, int] = {}
    read_at = written_at = synced_from = -1
    for number, line in enumerate(trace.read_text().splitlines()):
        thread = line.split(maxsplit=1)[0]
        if _ANSWER.search(line):
            found.append((read_at < written_at < synced_from, number))
        elif _PUBLISH_READ.search(line):
            read_at, written_at = number, -1
        elif _ROW_WRITE.search(line) and written_at < 0:
            written_at = number
        if _SYNC.search(line):
            begun[thread] = number
        if _SYNC_DONE.search(line):
            synced_from = max(synced_from, begun.get(thread, -1))
    return found
