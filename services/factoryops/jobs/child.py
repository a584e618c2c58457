"""The child process that carries out one run: `python -m factoryops.jobs.child`, its order on standard input.

It ends itself when its parent is gone, and takes no more memory than the order allows. With `--ready` it loads what
quick work needs before the order comes.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import BinaryIO, TextIO

from factoryops.domain.errors import FactoryOpsError, StorageError, UnavailableError
from factoryops.jobs.children import READY
from factoryops.jobs.orders import ENCODE, ORDER, Failed, Order, Report


class Teller:
    """Writes reports to the parent, one line each."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def tell(self, report: Report) -> None:
        """Send one report."""
        with self._lock:
            self._stream.write(ENCODE.encode(report) + b"\n")
            self._stream.flush()


def limit_memory(limit_bytes: int) -> None:
    """Have the system refuse more memory than this; on Windows the parent watches instead."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is no such module on Windows

    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def stand_back() -> None:
    """Let what serves people and devices come first."""
    if sys.platform != "win32":
        os.nice(5)


def end_with_parent(stream: BinaryIO) -> None:
    """End this process as soon as the parent closes its side of the pipe, however it ended."""

    def wait() -> None:
        while stream.read(1):
            pass
        os._exit(3)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def load() -> None:
    """Load what nearly all work needs, and back-tests with it: somebody waits for those."""
    from factoryops.history.local import reader  # noqa: PLC0415 - as above
    from factoryops.jobs import back_tests, kinds  # noqa: PLC0415 - only a child that is kept ready loads beforehand

    del back_tests, kinds, reader


def carry_out(order: Order, teller: Teller) -> None:
    """Do the work of the order, and report its end."""
    from factoryops.jobs.kinds import perform  # noqa: PLC0415 - heavy libraries load after the memory limit is set

    try:
        teller.tell(perform(order, teller.tell))
    except (UnavailableError, StorageError) as error:
        teller.tell(Failed(str(error), is_final=False))
    except FactoryOpsError as error:
        teller.tell(Failed(str(error), is_final=True))
    except MemoryError:
        gib = order.memory_limit_bytes / (1 << 30)
        reason = (
            f"It needed more than the {gib:.1f} GiB of memory a run may take. Choose a shorter span or fewer devices."
        )
        teller.tell(Failed(reason, is_final=False))


def main(stdin: TextIO = sys.stdin, stdout: TextIO = sys.stdout) -> None:
    """Read the order, work, report; without an order there is nothing to do."""
    stand_back()
    if READY in sys.argv[1:]:
        load()
    line = stdin.buffer.readline()
    if not line:
        return
    order = ORDER.decode(line)
    teller = Teller(stdout.buffer)
    sys.stdout = sys.stderr  # what a library prints must not look like a report
    end_with_parent(stdin.buffer)
    limit_memory(order.memory_limit_bytes)
    carry_out(order, teller)


if __name__ == "__main__":
    main()
    # Threads that only wait (the parent's pipe, connection pools) must not keep the process.
    sys.stderr.flush()
    os._exit(0)
