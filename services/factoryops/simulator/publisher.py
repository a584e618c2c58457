"""The running simulator: thirteen machines publishing over real MQTT, each on its own connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import US_PER_S, now_us
from factoryops.observability.pacing import is_set_within
from factoryops.simulator.commands import FaultFile
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.faults import Fault
from factoryops.simulator.plant import Machine, Plant
from factoryops.simulator.replay import telemetry

logger = logging.getLogger(__name__)

_MOST_WAITING: Final = 3_600
"""Messages a machine keeps while the service is away; a real device's buffer is as small."""


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """What the simulator publishes, and where to.

    Attributes:
        fault_file: watched for faults on command.
        pace: 1 is the machines' own cadence; 10 publishes ten times as often.
    """

    target: MqttTarget
    fault_file: Path
    seed: int = 1
    pace: float = 1.0


class SimulatorService:
    """Publishes the plant until told to stop; a service that is away is waited for.

    Attributes:
        dropped: messages given up because the service was away for longer than a machine's buffer lasts.
    """

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._plant = Plant(seed=config.seed)
        self._faults = FaultFile(config.fault_file)
        self._connections: dict[str, DeviceConnection] = {}
        self._is_control_broken = False
        self.dropped = 0

    @property
    def acknowledged(self) -> int:
        """Messages the service has confirmed."""
        return sum(connection.acknowledged for connection in self._connections.values())

    @property
    def connected(self) -> int:
        """Machines that are connected."""
        return sum(connection.is_connected for connection in self._connections.values())

    @property
    def refusal(self) -> str | None:
        """Why the service will not have us; None while it does."""
        return next((one.refusal for one in self._connections.values() if one.refusal), None)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set."""
        target = self._config.target
        for key in self._plant.machines:
            connection = DeviceConnection(target, f"{target.factory}-{key}", most_waiting=_MOST_WAITING)
            self._connections[key] = connection
            connection.start()
        try:
            async with asyncio.TaskGroup() as group:
                for machine in self._plant.machines.values():
                    group.create_task(self._publish(machine, stop))
        finally:
            await asyncio.gather(*(asyncio.to_thread(one.close) for one in self._connections.values()))

    async def _publish(self, machine: Machine, stop: asyncio.Event) -> None:
        period_us = round(machine.period_s * US_PER_S / self._config.pace)
        # Machines do not speak in chorus: each has its own place within the period.
        place_us = sum(machine.key.encode()) * 7_919 % period_us
        due_us = (now_us() // period_us + 1) * period_us + place_us
        while not await is_set_within(stop, (due_us - now_us()) / US_PER_S):
            self._publish_once(machine, due_us)
            due_us = max(due_us + period_us, now_us() - now_us() % period_us + place_us)

    def _publish_once(self, machine: Machine, at_us: int) -> None:
        metrics = measured(self._plant, machine.key, at_us, self._active_faults())
        if not metrics:
            return
        connection = self._connections[machine.key]
        if not connection.publish(self._config.target.topic(machine.key), telemetry(at_us, metrics)):
            self.dropped += 1

    def _active_faults(self) -> tuple[Fault, ...]:
        try:
            faults = self._faults.faults()
        except InvalidInputError as error:
            if not self._is_control_broken:
                logger.warning("%s", error)
            self._is_control_broken = True
            return ()
        self._is_control_broken = False
        return faults


def measured(plant: Plant, device: str, at_us: int, faults: tuple[Fault, ...] = ()) -> dict[str, float]:
    """What a machine measures at one moment; empty while it is off line."""
    signals: Mapping[str, np.ndarray] = plant.signals(device, np.array([at_us], np.int64), faults)
    return {key: float(values[0]) for key, values in signals.items() if np.isfinite(values[0])}
