"""What the demonstration's plant is made of: its folder, its factory, its people and its yesterday."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factoryops.contracts.http import CalculationContent
from factoryops.database.database import Database
from factoryops.domain.identity import FactoryId, Role, Scope
from factoryops.identity import administration
from factoryops.journal.import_writer import ImportPlace
from factoryops.server.console import say
from factoryops.server.context import Context
from factoryops.server.process_group import free_port
from factoryops.server.run_commands import default_settings_text
from factoryops.server.settings import DataFolder, load_settings, simulated_faults
from factoryops.simulator.backfill import backfill
from factoryops.simulator.describe import furnish

_SLUG: Final = "riverside"
_COOLING_POWER: Final = CalculationContent(
    device_key="chiller-1", parameter_key="cooling_power", name="Cooling power", unit="kW",
    expression="(return_temperature - supply_temperature) * flow * 1.163",
)  # fmt: skip
"""Of water: 4.186 kJ per kg and kelvin, 1,000 kg per cubic metre, 3,600 s per hour."""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The git-ignored folder of the demonstration."""

    root: Path

    @property
    def settings(self) -> Path:
        """Its settings file."""
        return self.root / "factoryops.toml"

    @property
    def login(self) -> Path:
        """Factory, user and random password, readable by its owner alone."""
        return self.root / "login.json"

    @property
    def data(self) -> DataFolder:
        """Its data folder."""
        return DataFolder(self.root / "data")

    @property
    def picture_settings(self) -> Path:
        """The client's own settings while pictures are taken: nobody's column widths or theme are to be in them."""
        return self.root / "pictures.json"

    @property
    def fault_file(self) -> Path:
        """Watched by the simulator for faults on command."""
        return simulated_faults(self.data)

    @property
    def api_url(self) -> str:
        """Where its API answers."""
        return f"http://127.0.0.1:{load_settings(self.settings).api.port}"

    @property
    def endpoint_port(self) -> int:
        """Where its devices publish."""
        return load_settings(self.settings).endpoint.port


def prepare(place: DemoFolder) -> None:
    """Make what is missing: ports, factory, user, starter rules, a calculated parameter and a day of history."""
    place.root.mkdir(parents=True, exist_ok=True)
    _write_settings(place)
    with Context(place.settings).database() as database:
        factory = database.read(lambda tx: tx.factories.find_by_slug(_SLUG))
        if factory is None:
            say("Making a plant (once) ...")
            made = administration.create_factory(
                database, slug=_SLUG, name="Riverside Works", timezone="Europe/Berlin", admin_name="demo"
            )
            _write_login(place, made.admin.password)
            factory = made.factory
            furnish(database, factory.id)
            calculate(database, factory.id)
        furnish(database, factory.id)
    _import_yesterday(place, factory.id)


def calculate(database: Database, factory_id: FactoryId) -> None:
    """Add a calculated parameter to a furnished plant, so that there is one to look at."""
    scope = Scope(factory_id, "set-up", Role.ADMIN)
    database.run(lambda tx: tx.calculations(scope).create(_COOLING_POWER, scope.actor))


def _write_settings(place: DemoFolder) -> None:
    """Keep the ports of the last time when they are free, so that attached clients find the service again."""
    api_port, endpoint_port = 8420, 1883
    if place.settings.exists():
        known = load_settings(place.settings)
        api_port, endpoint_port = known.api.port, known.endpoint.port
    text = default_settings_text(
        data_folder=Path("data"), api_port=free_port(api_port), endpoint_port=free_port(endpoint_port)
    )
    place.settings.write_text(text, encoding="utf-8")


def _write_login(place: DemoFolder, password: str) -> None:
    text = json.dumps({"factory": _SLUG, "user": "demo", "password": password})
    descriptor = os.open(place.login, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _import_yesterday(place: DemoFolder, factory_id: FactoryId) -> None:
    """A day of history, once, so that nothing is ever empty; what the demonstration slept through stays a gap."""
    state_file = place.root / "imported.json"
    if not state_file.exists():
        say("Importing a day of history (once, some seconds) ...")
    target = ImportPlace(place.data.journals["import"], place.data.checkpoints, place.data.doorbells)
    result = backfill(target, state_file, factory_id)
    if result.samples:
        say(f"Imported {result.samples:,} samples.")
