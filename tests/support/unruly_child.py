"""A child that misbehaves as TEST_UNRULY says, for the worker's limits."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from factoryops.jobs import child
from factoryops.jobs.orders import ORDER, Done, Failed, LeftFile, Progress


def main() -> None:
    order = ORDER.decode(sys.stdin.buffer.readline())
    teller = child.Teller(sys.stdout.buffer)
    child.end_with_parent(sys.stdin.buffer)
    mode = os.environ["TEST_UNRULY"]
    (Path(order.folder) / "half.pdf").write_bytes(b"%PDF-half")
    (Path(order.folder).parent.parent / "child.pid").write_text(str(os.getpid()), encoding="utf-8")
    teller.tell(Progress(0.5, "Half way"))
    if mode == "hangs":
        threading.Event().wait()
    if mode == "eats":
        held = [bytearray(os.urandom(1 << 20)) for _ in range(400)]
        threading.Event().wait(len(held))
    if mode == "eats_within":
        child.limit_memory(order.memory_limit_bytes)
        bytearray(order.memory_limit_bytes * 2)
    if mode == "chatters":
        sys.stdout.buffer.write(b"hello\n{}\n" + b"\xff\n")
        sys.stdout.buffer.flush()
        teller.tell(Done("Fine", {}, (LeftFile("half.pdf", "half.pdf", "application/pdf"),)))
    if mode == "floods":
        sys.stdout.buffer.write(b"x" * (3 << 20))
        sys.stdout.buffer.flush()
    if mode == "refuses":
        teller.tell(Failed("The span is empty.", is_final=True))
    os._exit(7 if mode == "dies" else 0)


if __name__ == "__main__":
    main()
