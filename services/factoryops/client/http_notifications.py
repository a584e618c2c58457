"""Who is told of alarms, over HTTP: the part of `HttpPlant` that implements `NotificationsClient`."""

from __future__ import annotations

from collections.abc import Sequence

from factoryops.client.http_sources import Asks
from factoryops.contracts import http
from factoryops.contracts.http import DeliveryState


class HttpNotifications:
    """Contacts, rosters, hooks, policies, and what became of messages."""

    async def contacts(self: Asks) -> list[http.Contact]:
        """Everybody who can be told."""
        return (await self._ask("GET", "notifications/contacts", http.ContactList)).contacts

    async def create_contact(self: Asks, content: http.ContactContent) -> http.Contact:
        """Add somebody."""
        return await self._ask("POST", "notifications/contacts", http.Contact, body=content)

    async def update_contact(self: Asks, contact_id: str, update: http.ContactUpdate) -> http.Contact:
        """Change a contact."""
        return await self._ask("PUT", f"notifications/contacts/{contact_id}", http.Contact, body=update)

    async def delete_contact(self: Asks, contact_id: str) -> None:
        """Take a contact away."""
        await self._send("DELETE", f"notifications/contacts/{contact_id}")

    async def rosters(self: Asks) -> list[http.Roster]:
        """Who takes turns, with who is on call now."""
        return (await self._ask("GET", "notifications/rosters", http.RosterList)).rosters

    async def create_roster(self: Asks, content: http.RosterContent) -> http.Roster:
        """Add a roster."""
        return await self._ask("POST", "notifications/rosters", http.Roster, body=content)

    async def update_roster(self: Asks, roster_id: str, update: http.RosterUpdate) -> http.Roster:
        """Change a roster."""
        return await self._ask("PUT", f"notifications/rosters/{roster_id}", http.Roster, body=update)

    async def delete_roster(self: Asks, roster_id: str) -> None:
        """Take a roster away."""
        await self._send("DELETE", f"notifications/rosters/{roster_id}")

    async def hooks(self: Asks) -> list[http.Hook]:
        """Machines that are told."""
        return (await self._ask("GET", "notifications/hooks", http.HookList)).hooks

    async def create_hook(self: Asks, request: http.HookRequest) -> http.Hook:
        """Add a hook with its secrets."""
        return await self._ask("POST", "notifications/hooks", http.Hook, body=request)

    async def update_hook(self: Asks, hook_id: str, update: http.HookUpdate) -> http.Hook:
        """Change a hook."""
        return await self._ask("PUT", f"notifications/hooks/{hook_id}", http.Hook, body=update)

    async def delete_hook(self: Asks, hook_id: str) -> None:
        """Take a hook away."""
        await self._send("DELETE", f"notifications/hooks/{hook_id}")

    async def notification_policies(self: Asks) -> list[http.NotificationPolicy]:
        """For which alarms who is told, step by step."""
        return (await self._ask("GET", "notifications/policies", http.PolicyList)).policies

    async def create_notification_policy(self: Asks, content: http.PolicyContent) -> http.NotificationPolicy:
        """Add a policy."""
        return await self._ask("POST", "notifications/policies", http.NotificationPolicy, body=content)

    async def update_notification_policy(
        self: Asks, policy_id: str, update: http.PolicyUpdate
    ) -> http.NotificationPolicy:
        """Change a policy."""
        return await self._ask("PUT", f"notifications/policies/{policy_id}", http.NotificationPolicy, body=update)

    async def delete_notification_policy(self: Asks, policy_id: str) -> None:
        """Take a policy away."""
        await self._send("DELETE", f"notifications/policies/{policy_id}")

    async def notification_preview(self: Asks, rule_id: str) -> http.NotificationPreview:
        """What would be sent for an alarm of a rule."""
        return await self._ask("GET", "notifications/preview", http.NotificationPreview, query={"rule": rule_id})

    async def deliveries(
        self: Asks,
        *,
        alarm_id: str | None = None,
        state: DeliveryState | None = None,
        before: str | None = None,
        most: int = 200,
    ) -> http.DeliveryPage:
        """The ledger of messages, newest first."""
        query = {"alarm": alarm_id, "state": state and state.value, "before": before, "most": most}
        return await self._ask("GET", "notifications/deliveries", http.DeliveryPage, query=query)

    async def send_test_message(self: Asks, request: http.TestMessage) -> http.Delivery:
        """Send a test message."""
        return await self._ask("POST", "notifications/test", http.Delivery, body=request)

    async def inbox(self: Asks) -> http.Inbox:
        """The newest messages of the person logged in."""
        return await self._ask("GET", "notifications/inbox", http.Inbox)

    async def mark_seen(self: Asks, ids: Sequence[str]) -> http.Inbox:
        """These messages have been read."""
        request = http.SeenRequest(ids=list(ids))
        return await self._ask("POST", "notifications/inbox/seen", http.Inbox, body=request)
