"""Who is told of alarms. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from factoryops.contracts import http
from factoryops.contracts.http import DeliveryState


class DeliveriesClient(Protocol):
    """What would be sent, and what became of it."""

    async def notification_preview(self, rule_id: str) -> http.NotificationPreview:
        """What would be sent for an alarm of a rule if it were raised now, and why."""
        ...

    async def deliveries(
        self,
        *,
        alarm_id: str | None = None,
        state: DeliveryState | None = None,
        before: str | None = None,
        most: int = 200,
    ) -> http.DeliveryPage:
        """The ledger of messages, newest first."""
        ...

    async def send_test_message(self, request: http.TestMessage) -> http.Delivery:
        """Send a test message; the ledger says what becomes of it."""
        ...

    async def inbox(self) -> http.Inbox:
        """The newest messages of the person logged in."""
        ...

    async def mark_seen(self, ids: Sequence[str]) -> http.Inbox:
        """These messages have been read."""
        ...


class NotificationsClient(DeliveriesClient, Protocol):
    """What a client of the service can ask and change about who is told."""

    async def contacts(self) -> list[http.Contact]:
        """Everybody who can be told."""
        ...

    async def create_contact(self, content: http.ContactContent) -> http.Contact:
        """Add somebody."""
        ...

    async def update_contact(self, contact_id: str, update: http.ContactUpdate) -> http.Contact:
        """Change a contact; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_contact(self, contact_id: str) -> None:
        """Take a contact away; raises ConflictError while a roster or a policy names it."""
        ...

    async def rosters(self) -> list[http.Roster]:
        """Who takes turns, with who is on call now."""
        ...

    async def create_roster(self, content: http.RosterContent) -> http.Roster:
        """Add a roster."""
        ...

    async def update_roster(self, roster_id: str, update: http.RosterUpdate) -> http.Roster:
        """Change a roster; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_roster(self, roster_id: str) -> None:
        """Take a roster away; raises ConflictError while a policy names it."""
        ...

    async def hooks(self) -> list[http.Hook]:
        """Machines that are told; their addresses stay secret."""
        ...

    async def create_hook(self, request: http.HookRequest) -> http.Hook:
        """Add a hook with its secrets."""
        ...

    async def update_hook(self, hook_id: str, update: http.HookUpdate) -> http.Hook:
        """Change a hook; each secret that is not sent stays as it is, an empty signing key takes the key away."""
        ...

    async def delete_hook(self, hook_id: str) -> None:
        """Take a hook away; raises ConflictError while a policy names it."""
        ...

    async def notification_policies(self) -> list[http.NotificationPolicy]:
        """For which alarms who is told, step by step."""
        ...

    async def create_notification_policy(self, content: http.PolicyContent) -> http.NotificationPolicy:
        """Add a policy."""
        ...

    async def update_notification_policy(self, policy_id: str, update: http.PolicyUpdate) -> http.NotificationPolicy:
        """Change a policy; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_notification_policy(self, policy_id: str) -> None:
        """Take a policy away; what it has begun ends. Raises ConflictError while a rule names it."""
        ...
