from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from factoryops.client import imagined
from factoryops.client.fake import ACCOUNTS, FakePlant
from factoryops.client.http import HttpPlant
from factoryops.client.port import PlantClient
from factoryops.domain.identity import Role
from factoryops.domain.time import now_us
from tests.support.api_service import PASSWORD, ApiService, FactoryKit, running_api


@dataclass(frozen=True, slots=True)
class Subject:
    """A client under test and how to log in with it."""

    plant: PlantClient
    slug: str
    passwords: dict[Role, str]

    async def enter(self, role: Role = Role.ADMIN) -> PlantClient:
        await self.plant.login(self.slug, role.value, self.passwords[role])
        return self.plant


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiService, FactoryKit]]:
    with running_api(tmp_path_factory.mktemp("client")) as service:
        kit = service.add_factory("riverside", has_passwords=True)
        start = now_us() // 1_000_000 * 1_000_000 - 3_600_000_000
        for number in range(len(kit.parameters)):
            service.receive(kit, [(number, start + n * 2_000_000, 4.0 + n % 7) for n in range(1_799)])
        service.seal()
        service.receive(kit, [(number, now_us(), 4.5) for number in range(len(kit.parameters))])
        service.transition(kit)
        service.finished_run(kit)
        service.quarantine(kit, b"{")
        for number in range(3):
            service.quarantine(kit, b'{"metrics": {"packs": %d}}' % number, "unknown_device", device="packer-2")
        for number in range(2):
            body = {"t": start // 1_000 + number, "d": {"force": 500 + number, "oil": 415, "on": True, "mode": "auto"}}
            service.quarantine(kit, json.dumps(body).encode(), "invalid_topic", topic=b"hall2/press-7/state")
        yield service, kit


@pytest.fixture(params=["fake", "http"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "fake":
        passwords = {role: password for password, role in ACCOUNTS.values()}
        plant = FakePlant()
        await plant.login(imagined.SLUG, "admin", passwords[Role.ADMIN])
        await _have_finished_run(plant)
        yield Subject(plant, imagined.SLUG, passwords)
        await plant.close()
        return
    service, kit = await asyncio.to_thread(request.getfixturevalue, "real")
    client = HttpPlant(service.url)
    yield Subject(client, kit.factory.slug, dict.fromkeys(Role, PASSWORD))
    await client.close()


async def _have_finished_run(plant: FakePlant) -> None:
    assert any(run.artifacts for run in await plant.runs())
