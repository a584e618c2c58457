"""Who would be told of the imagined plant's alarms: the part of `FakePlant` that implements `NotificationsClient`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from factoryops.client.fake_rules import RuleShelf
from factoryops.client.imagined import FACTORY_ID, TIMEZONE
from factoryops.contracts import http
from factoryops.contracts.http import DeliveryState
from factoryops.contracts.http.notification_preview import preview
from factoryops.domain.alarms import Priority
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, OutdatedError
from factoryops.domain.identity import FactoryId, Permission, Role, new_id
from factoryops.domain.notifying import Book, ChannelKind, TargetKind, Told, mask, refuse_named
from factoryops.domain.on_call import on_call
from factoryops.domain.time import from_us

Kept = TypeVar("Kept", bound=BaseModel)
_ROLES: Final = {role.value: role.value for role in Role}


class NotificationShelf(Generic[Kept]):
    """Everything of one kind in memory, with versions."""

    def __init__(self, kind: type[Kept], word: str) -> None:
        self._kind = kind
        self._word = word
        self._held: dict[str, Kept] = {}

    def all(self) -> list[Kept]:
        """By name."""
        return sorted(self._held.values(), key=lambda one: _of(one).content.name)

    def ids(self) -> set[str]:
        """Of all."""
        return set(self._held)

    def get(self, identity: str) -> Kept:
        """One, or NotFoundError."""
        if identity not in self._held:
            raise NotFoundError(f"There is no such {self._word}.")
        return self._held[identity]

    def create(self, content: BaseModel, actor: str, at_us: int, **more: object) -> Kept:
        """Add one."""
        return self._keep(new_id(), 1, content, actor, at_us, more)

    def update(
        self, identity: str, version: int, content: BaseModel, actor: str, at_us: int, **more: object
    ) -> Kept:  # fmt: skip
        """Change one."""
        held = _of(self.get(identity))
        if held.version != version:
            raise OutdatedError(f"{held.changed_by} changed this {self._word} meanwhile; look at it again.")
        return self._keep(identity, version + 1, content, actor, at_us, more)

    def delete(self, identity: str) -> None:
        """Take one away."""
        self.get(identity)
        del self._held[identity]

    def _keep(
        self, identity: str, version: int, content: BaseModel, actor: str, at_us: int, more: dict[str, Any]
    ) -> Kept:  # fmt: skip
        told = {
            "id": identity,
            "version": version,
            "content": content,
            "changed_by": actor,
            "changed_at": from_us(at_us),
        }
        self._held[identity] = self._kind.model_validate(told | more)
        return self._held[identity]


def _of(kept: BaseModel) -> Any:
    """Any of the four kinds: each has a version, a content and who changed it."""
    return kept


class NotificationBook:
    """The four kinds of the imagined plant, and what was sent."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.contacts = NotificationShelf(http.Contact, "contact")
        self.rosters = NotificationShelf(http.Roster, "roster")
        self.hooks = NotificationShelf(http.Hook, "hook")
        self.policies = NotificationShelf(http.NotificationPolicy, "policy")
        self.deliveries: list[http.Delivery] = []
        self.inboxes: dict[str, list[http.InboxMessage]] = {}

    def book(self) -> Book:
        """As the plan of who is told wants it."""
        return Book(
            factory_id=FactoryId(FACTORY_ID),
            timezone=TIMEZONE,
            contacts={one.id: one.content.definition() for one in self.contacts.all()},
            rosters={one.id: one.content.definition() for one in self.rosters.all()},
            hooks={one.id: one.content.definition() for one in self.hooks.all()},
            hosts={one.id: one.host for one in self.hooks.all()},
            policies={one.id: one.content.definition() for one in self.policies.all()},
            roles=_ROLES,
        )

    def told(self, roster: http.Roster) -> http.Roster:
        """A roster with who is on call now."""
        duty = on_call(roster.content.definition(), from_us(self.clock()), TIMEZONE)
        return roster.model_copy(update={"on_call": duty.contact or None, "on_call_until": duty.until})

    def check_roster(self, content: http.RosterContent) -> None:
        """Refuse members that are not there."""
        if not {*content.members, *(one.contact for one in content.overrides)} <= self.contacts.ids():
            raise NotFoundError("There is no such contact.")
        if any(one.end <= one.start for one in content.overrides):
            raise InvalidInputError("Somebody who stands in has to begin before the end.", fields={"overrides": "ends"})

    def check_policy(self, content: http.PolicyContent) -> None:
        """Refuse what cannot be used, and targets that are not there."""
        faults = content.faults()
        if faults:
            raise InvalidInputError("The policy cannot be used.", fields=faults)
        known = {
            TargetKind.CONTACT: self.contacts.ids(), TargetKind.ROSTER: self.rosters.ids(),
            TargetKind.HOOK: self.hooks.ids(), TargetKind.ROLE: set(_ROLES),
        }  # fmt: skip
        for step in content.steps:
            for target in step.to:
                if target.name not in known[target.kind]:
                    raise NotFoundError(f"There is no such {target.kind.value}.")

    def refuse_used(self, kind: TargetKind, identity: str) -> None:
        """Refuse to take away what a policy or a roster names."""
        for policy in self.policies.all():
            if any(one.kind is kind and one.name == identity for step in policy.content.steps for one in step.to):
                raise ConflictError(
                    f"The policy {policy.content.name} names this {kind.value}: take it out there first."
                )
        for roster in self.rosters.all() if kind is TargetKind.CONTACT else ():
            if identity in roster.content.members:
                raise ConflictError(f"The roster {roster.content.name} names this contact: take it out there first.")

    def test(self, request: http.TestMessage) -> http.Delivery:
        """A test message, accepted at once; in the client it is there to be read."""
        at = from_us(self.clock())
        name, channel, address = self._whom(request)
        made = http.Delivery(
            id=new_id(), alarm_id="", rule_name="Test", device_name="FactoryOps", priority=Priority.LOW, event="test",
            policy="", step=0, recipient=name, channel=channel, address=mask(address), state=DeliveryState.ACCEPTED,
            reason="", attempts=1, message_id=new_id(), created_at=at, changed_at=at, accepted_at=at,
        )  # fmt: skip
        self.deliveries.insert(0, made)
        if channel is ChannelKind.IN_APP:
            message = http.InboxMessage(
                id=made.id, alarm_id="", event="test", priority=Priority.LOW, subject="Test message",
                text="This is a test: no alarm was raised.", created_at=at,
            )  # fmt: skip
            self.inboxes.setdefault(address, []).insert(0, message)
        return made

    def _whom(self, request: http.TestMessage) -> tuple[str, ChannelKind, str]:
        if request.kind is TargetKind.HOOK:
            hook = self.hooks.get(request.name)
            return hook.content.name, hook.content.kind.channel, hook.host
        contact = self.contacts.get(request.name).content
        address = contact.definition().address(request.channel)
        if not address:
            raise InvalidInputError("This contact has no address for that channel.", fields={"channel": "no address"})
        return contact.name, request.channel, address

    def seen(self, actor: str, ids: Sequence[str]) -> http.Inbox:
        """These messages of a person have been read."""
        held = self.inboxes.get(actor, [])
        if not set(ids) <= {one.id for one in held}:
            raise NotFoundError("There is no such message.")
        at = from_us(self.clock())
        self.inboxes[actor] = [
            one.model_copy(update={"seen_at": one.seen_at or at}) if one.id in ids else one for one in held
        ]
        return http.Inbox(messages=self.inboxes[actor])


class FakeNotifications:
    """Contacts, rosters, hooks and policies in memory; nothing leaves it."""

    _notifications: NotificationBook
    _rules: RuleShelf

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def contacts(self) -> list[http.Contact]:
        """Everybody who can be told."""
        await self._enter(Permission.EDIT_RULES)
        return self._notifications.contacts.all()

    async def create_contact(self, content: http.ContactContent) -> http.Contact:
        """Add somebody."""
        actor, book = await self._enter(Permission.EDIT_RULES), self._notifications
        return book.contacts.create(content, actor, book.clock())

    async def update_contact(self, contact_id: str, update: http.ContactUpdate) -> http.Contact:
        """Change a contact."""
        actor, book = await self._enter(Permission.EDIT_RULES), self._notifications
        return book.contacts.update(contact_id, update.version, update.content, actor, book.clock())

    async def delete_contact(self, contact_id: str) -> None:
        """Take a contact away."""
        await self._enter(Permission.EDIT_RULES)
        self._notifications.contacts.get(contact_id)
        self._notifications.refuse_used(TargetKind.CONTACT, contact_id)
        self._notifications.contacts.delete(contact_id)

    async def rosters(self) -> list[http.Roster]:
        """Who takes turns."""
        await self._enter(Permission.VIEW)
        return [self._notifications.told(one) for one in self._notifications.rosters.all()]

    async def create_roster(self, content: http.RosterContent) -> http.Roster:
        """Add a roster."""
        actor, book = await self._enter(Permission.EDIT_RULES), self._notifications
        book.check_roster(content)
        return book.told(book.rosters.create(content, actor, book.clock()))

    async def update_roster(self, roster_id: str, update: http.RosterUpdate) -> http.Roster:
        """Change a roster."""
        actor, book = await self._enter(Permission.EDIT_RULES), self._notifications
        book.check_roster(update.content)
        return book.told(book.rosters.update(roster_id, update.version, update.content, actor, book.clock()))

    async def delete_roster(self, roster_id: str) -> None:
        """Take a roster away."""
        await self._enter(Permission.EDIT_RULES)
        self._notifications.rosters.get(roster_id)
        self._notifications.refuse_used(TargetKind.ROSTER, roster_id)
        self._notifications.rosters.delete(roster_id)

    async def hooks(self) -> list[http.Hook]:
        """Machines that are told."""
        await self._enter(Permission.EDIT_RULES)
        return self._notifications.hooks.all()

    async def create_hook(self, request: http.HookRequest) -> http.Hook:
        """Add a hook; its secrets are forgotten at once."""
        actor, book = await self._enter(Permission.EDIT_PLANT), self._notifications
        sent = request.secrets
        shown = {"host": _host(sent.url), "is_signed": bool(sent.signing_key)}
        return book.hooks.create(request.content, actor, book.clock(), **shown)

    async def update_hook(self, hook_id: str, update: http.HookUpdate) -> http.Hook:
        """Change a hook."""
        actor, book = await self._enter(Permission.EDIT_PLANT), self._notifications
        held, change = book.hooks.get(hook_id), update.secrets or http.HookSecretsChange()
        shown = {
            "host": held.host if change.url is None else _host(change.url),
            "is_signed": held.is_signed if change.signing_key is None else bool(change.signing_key),
        }
        return book.hooks.update(hook_id, update.version, update.content, actor, book.clock(), **shown)

    async def delete_hook(self, hook_id: str) -> None:
        """Take a hook away."""
        await self._enter(Permission.EDIT_PLANT)
        self._notifications.hooks.get(hook_id)
        self._notifications.refuse_used(TargetKind.HOOK, hook_id)
        self._notifications.hooks.delete(hook_id)

    async def notification_policies(self) -> list[http.NotificationPolicy]:
        """For which alarms who is told."""
        await self._enter(Permission.VIEW)
        return self._notifications.policies.all()

    async def create_notification_policy(self, content: http.PolicyContent) -> http.NotificationPolicy:
        """Add a policy."""
        actor, book = await self._enter(Permission.EDIT_RULES), self._notifications
        book.check_policy(content)
        return book.policies.create(content, actor, book.clock())

    async def update_notification_policy(self, policy_id: str, update: http.PolicyUpdate) -> http.NotificationPolicy:
        """Change a policy."""
        actor, book = await self._enter(Permission.EDIT_RULES), self._notifications
        book.check_policy(update.content)
        return book.policies.update(policy_id, update.version, update.content, actor, book.clock())

    async def delete_notification_policy(self, policy_id: str) -> None:
        """Take a policy away."""
        await self._enter(Permission.EDIT_RULES)
        self._notifications.policies.get(policy_id)
        refuse_named(policy_id, ((rule.content.notify, rule.content.name) for rule in self._rules.all()))
        self._notifications.policies.delete(policy_id)

    async def notification_preview(self, rule_id: str) -> http.NotificationPreview:
        """What would be sent for an alarm of a rule."""
        await self._enter(Permission.VIEW)
        rule = self._rules.get(rule_id)
        book = self._notifications
        content = rule.content.definition()
        told = Told(content.priority, next(iter(content.scope.areas), ""), content.alarm_class, content.notify)
        return preview(book.book(), told, book.clock())

    async def deliveries(
        self,
        *,
        alarm_id: str | None = None,
        state: DeliveryState | None = None,
        before: str | None = None,
        most: int = 200,
    ) -> http.DeliveryPage:
        """The ledger of messages, newest first."""
        await self._enter(Permission.VIEW)
        held = self._notifications.deliveries
        if before is not None:
            place = next((place for place, one in enumerate(held) if one.id == before), None)
            if place is None:
                raise NotFoundError("There is no such delivery.")
            held = held[place + 1 :]
        wanted = [one for one in held if alarm_id in {None, one.alarm_id} and state in {None, one.state}]
        return http.DeliveryPage(
            deliveries=wanted[:most], next_before=wanted[most - 1].id if len(wanted) > most else None
        )

    async def send_test_message(self, request: http.TestMessage) -> http.Delivery:
        """Send a test message; it is accepted at once."""
        await self._enter(Permission.EDIT_RULES)
        return self._notifications.test(request)

    async def inbox(self) -> http.Inbox:
        """The newest messages of the person logged in."""
        actor = await self._enter(Permission.VIEW)
        return http.Inbox(messages=self._notifications.inboxes.get(actor, []))

    async def mark_seen(self, ids: Sequence[str]) -> http.Inbox:
        """These messages have been read."""
        actor = await self._enter(Permission.VIEW)
        return self._notifications.seen(actor, ids)


def _host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidInputError("The hook's address has to begin with https://.", fields={"secrets.url": "not https"})
    return parts.hostname
