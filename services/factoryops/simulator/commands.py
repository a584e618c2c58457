"""The control of a running simulator: a small file of faults, written by a command and watched by the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import now_us
from factoryops.simulator.faults import Fault, parse_fault
from factoryops.simulator.plant import Plant


class FaultFile:
    """Faults on command, shared between the command line and a running simulator."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._faults: tuple[Fault, ...] = ()

    def faults(self) -> tuple[Fault, ...]:
        """All faults, ended ones included; reads the file again only when it has changed."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._faults, self._seen = (), None
            return ()
        seen = (status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            self._faults, self._seen = self._read(), seen
        return self._faults

    def _read(self) -> tuple[Fault, ...]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=tuple[Fault, ...])
        except (OSError, msgspec.DecodeError) as error:
            raise InvalidInputError(
                f"The file of simulated faults {self._path} cannot be read ({error}). Delete it to end all faults."
            ) from error

    def begin(self, texts: Sequence[str]) -> tuple[Fault, ...]:
        """Break machines, each written as `pump-1:cavitation`; raises InvalidInputError for what does not exist."""
        plant = Plant()
        added = tuple(parse_fault(text, at_us=now_us()) for text in texts)
        for fault in added:
            plant.machine(fault.device)
        self._write(self.faults() + added)
        return added

    def end(self, device: str | None = None) -> int:
        """Mend one machine, or all; returns how many faults ended. What happened stays on record."""
        moment = now_us()
        changed = tuple(
            replace(fault, ended_us=moment) if fault.ended_us is None and device in (None, fault.device) else fault
            for fault in self.faults()
        )
        count = sum(old != new for old, new in zip(self.faults(), changed, strict=True))
        self._write(changed)
        return count

    def _write(self, faults: tuple[Fault, ...]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(faults))
        temporary.replace(self._path)
