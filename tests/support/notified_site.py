"""A factory that tells people of its alarms, and a dispatcher that can be run and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.identity import new_id
from factoryops.domain.notifying import ChannelKind, HookKind, TargetKind
from factoryops.domain.time import now_us
from factoryops.identity.vault import Vault
from factoryops.notifications.channel import Channel
from factoryops.notifications.composing import MessageComposer
from factoryops.notifications.hook_secrets import HookSecrets
from factoryops.notifications.service import NotificationService
from tests.support.databases import Site, new_site

VAULT = Vault(bytes(32))


class NotifiedSite:
    """People and policies of one factory, and what the ledger says."""

    def __init__(self, folder: Path, clock: Callable[[], int] = now_us, url: str = "") -> None:
        self.folder = folder
        self.database = Database.open(url or f"sqlite:///{folder / 'factoryops.db'}", clock=clock)
        self.site: Site = new_site(self.database)
        self.scope = self.site.scope

    def contact(self, name: str = "Jana", **fields: object) -> str:
        content = http.ContactContent.model_validate({"name": name, "email": "jana@example.com", **fields})
        return str(self.database.run(lambda tx: tx.notifications(self.scope).contacts.create(content).id))

    def hook(self, url: str, kind: HookKind = HookKind.WEBHOOK, key: str = "") -> str:
        identity = new_id()
        sealed = VAULT.seal(msgspec.json.encode(HookSecrets(url, key)).decode(), identity)
        content = http.HookContent(name="Hook", kind=kind)

        columns = {"host": "127.0.0.1", "is_signed": bool(key), "sealed": sealed}
        self.database.run(lambda tx: tx.notifications(self.scope).hooks.create(content, identity, **columns))
        return identity

    def policy(self, *steps: tuple[float, list[tuple[TargetKind, str, ChannelKind]]], **fields: object) -> str:
        content = http.PolicyContent.model_validate(
            {
                "name": f"Policy {new_id()[-6:]}",
                "steps": [
                    {"after_s": after, "to": [{"kind": k, "name": n, "channels": [c]} for k, n, c in to]}
                    for after, to in steps
                ],
                "gather_s": 0,
                **fields,
            }
        )
        return str(self.database.run(lambda tx: tx.notifications(self.scope).policies.create(content).id))

    def ledger(self) -> list[http.Delivery]:
        return self.database.read(lambda tx: tx.deliveries(self.scope).page(most=1_000)).deliveries

    def states(self) -> list[tuple[str, str]]:
        return sorted((one.state.value, one.reason) for one in self.ledger())

    @asynccontextmanager
    async def dispatching(self, channels: Sequence[Channel]) -> AsyncIterator[NotificationService]:
        service = NotificationService(
            self.database, channels, MessageComposer(VAULT), self.folder, jitter=lambda: 0.001
        )
        stop = asyncio.Event()
        running = asyncio.create_task(service.work(stop))
        try:
            yield service
        finally:
            stop.set()
            await running
