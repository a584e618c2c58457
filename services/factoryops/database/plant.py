"""Devices and parameters of one factory."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from factoryops.domain.identity import DeviceId, ParameterId
from factoryops.domain.plant import Device, Parameter


class Devices:
    """The factory's devices."""

    def list(self) -> builtins.list[Device]:
        """All, by area, name and key."""
        raise NotImplementedError

    def get(self, device_id: DeviceId | str) -> Device:
        """One, or NotFoundError."""
        raise NotImplementedError

    def get_many(self, device_ids: Sequence[DeviceId | str]) -> builtins.list[Device]:
        """In the order asked for; NotFoundError when any is unknown."""
        raise NotImplementedError

    def change(self, device_id: DeviceId | str, **fields: object) -> Device:
        """Edit `name`, `kind`, `area` or `line`; what is absent or None stays. Writes the audit entry."""
        raise NotImplementedError

    def ensure(self, device: Device) -> bool:
        """Add it unless it is there; what an operator edited stays. Answers whether it was new."""
        raise NotImplementedError

    def ensure_many(self, devices: Iterable[Device]) -> int:
        """`ensure` for many; answers how many were new."""
        raise NotImplementedError

    def touch_received(self, received_at: Mapping[DeviceId, datetime]) -> None:
        """When something was last received from each; never goes back, unknown devices are passed over."""
        raise NotImplementedError


class Parameters:
    """The factory's parameters."""

    def list(self) -> builtins.list[Parameter]:
        """All, by device and key."""
        raise NotImplementedError

    def get_many(self, parameter_ids: Sequence[ParameterId | str]) -> builtins.list[Parameter]:
        """In the order asked for; NotFoundError when any is unknown."""
        raise NotImplementedError

    def change(self, parameter_id: ParameterId | str, **fields: object) -> Parameter:
        """Edit `name`, `unit`, `decimals`, `low`, `high`, `normal_low` or `normal_high`; absent fields stay.

        None clears a limit and leaves the others as they are. Writes the audit entry.

        Raises:
            InvalidInputError: the limits are not in order.
        """
        raise NotImplementedError

    def ensure(self, parameter: Parameter) -> bool:
        """Add it unless it is there (its device must be); what an operator edited stays. Answers whether it was new."""
        raise NotImplementedError

    def ensure_many(self, parameters: Iterable[Parameter]) -> int:
        """`ensure` for many; answers how many were new."""
        raise NotImplementedError
