"""Who is told of alarms: contacts, rosters, hooks and policies, kept and changed."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from factoryops.api.call import Asking, Call
from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import new_id
from factoryops.notifications.hook_secrets import HookSecrets, check_url


async def list_contacts(asking: Asking) -> http.ContactList:
    """All contacts, by name."""
    return http.ContactList(contacts=await asking.read(lambda tx: tx.notifications(asking.scope).list_contacts()))


async def create_contact(body: http.ContactContent, asking: Asking) -> http.Contact:
    """Add somebody who can be told."""

    def work(tx: Transaction) -> http.Contact:
        book = tx.notifications(asking.scope)
        return book.contact(book.contacts.create(body))

    return await asking.change(work)


async def update_contact(contact_id: http.Identifier, body: http.ContactUpdate, asking: Asking) -> http.Contact:
    """Change a contact; refused when somebody else changed it first."""

    def work(tx: Transaction) -> http.Contact:
        book = tx.notifications(asking.scope)
        return book.contact(book.contacts.update(contact_id, body.version, body.content))

    return await asking.change(work)


async def delete_contact(contact_id: http.Identifier, asking: Asking) -> None:
    """Take a contact away; refused while a roster or a policy names it."""
    await asking.change(lambda tx: tx.notifications(asking.scope).delete_contact(contact_id))


async def list_rosters(asking: Asking) -> http.RosterList:
    """All rosters, by name, with who is on call now."""
    return http.RosterList(rosters=await asking.read(lambda tx: tx.notifications(asking.scope).list_rosters()))


async def create_roster(body: http.RosterContent, asking: Asking) -> http.Roster:
    """Add a roster."""

    def work(tx: Transaction) -> http.Roster:
        book = tx.notifications(asking.scope)
        return book.roster(book.rosters.create(body))

    return await asking.change(work)


async def update_roster(roster_id: http.Identifier, body: http.RosterUpdate, asking: Asking) -> http.Roster:
    """Change a roster; refused when somebody else changed it first."""

    def work(tx: Transaction) -> http.Roster:
        book = tx.notifications(asking.scope)
        return book.roster(book.rosters.update(roster_id, body.version, body.content))

    return await asking.change(work)


async def delete_roster(roster_id: http.Identifier, asking: Asking) -> None:
    """Take a roster away; refused while a policy names it."""
    await asking.change(lambda tx: tx.notifications(asking.scope).delete_roster(roster_id))


async def list_policies(asking: Asking) -> http.PolicyList:
    """All policies, by name."""
    return http.PolicyList(policies=await asking.read(lambda tx: tx.notifications(asking.scope).list_policies()))


async def create_policy(body: http.PolicyContent, asking: Asking) -> http.NotificationPolicy:
    """Add a policy; it holds for alarms from now on."""

    def work(tx: Transaction) -> http.NotificationPolicy:
        book = tx.notifications(asking.scope)
        return book.policy(book.policies.create(body))

    return await asking.change(work)


async def update_policy(
    policy_id: http.Identifier, body: http.PolicyUpdate, asking: Asking
) -> http.NotificationPolicy:  # fmt: skip
    """Change a policy, also for what it has begun; refused when somebody else changed it first."""

    def work(tx: Transaction) -> http.NotificationPolicy:
        book = tx.notifications(asking.scope)
        return book.policy(book.policies.update(policy_id, body.version, body.content))

    return await asking.change(work)


async def delete_policy(policy_id: http.Identifier, asking: Asking) -> None:
    """Take a policy away; what it has begun ends. Refused while a rule names it."""
    await asking.change(lambda tx: tx.notifications(asking.scope).delete_policy(policy_id))


async def list_hooks(asking: Asking) -> http.HookList:
    """All hooks, by name; their addresses and keys stay secret."""
    return http.HookList(hooks=await asking.read(lambda tx: tx.notifications(asking.scope).list_hooks()))


async def create_hook(body: http.HookRequest, asking: Asking) -> http.Hook:
    """Add a hook; its address and key are kept sealed and never answered."""
    identity = new_id()
    sent = body.secrets
    check_url(sent.url, asking.service.context.hook_rules)
    columns = _columns(asking, HookSecrets(sent.url, sent.signing_key or ""), identity)

    def work(tx: Transaction) -> http.Hook:
        book = tx.notifications(asking.scope)
        return book.hook(book.hooks.create(body.content, identity, **columns))

    return await asking.change(work)


async def update_hook(hook_id: http.Identifier, body: http.HookUpdate, asking: Asking) -> http.Hook:
    """Change a hook; each secret that is not sent stays as it is, an empty signing key takes the key away."""

    def work(tx: Transaction) -> http.Hook:
        book = tx.notifications(asking.scope)
        book.hooks.one(hook_id)
        columns: dict[str, object] = {}
        if body.secrets is not None:
            columns = _columns(asking, _changed(asking, tx, body.secrets, hook_id), hook_id)
        return book.hook(book.hooks.update(hook_id, body.version, body.content, **columns))

    return await asking.change(work)


async def delete_hook(hook_id: http.Identifier, asking: Asking) -> None:
    """Take a hook and its secrets away; refused while a policy names it."""
    await asking.change(lambda tx: tx.notifications(asking.scope).delete_hook(hook_id))


def _changed(asking: Call, tx: Transaction, change: http.HookSecretsChange, hook_id: str) -> HookSecrets:
    """A hook's secrets after a change.

    Raises:
        InvalidInputError: a new address may not be used, or what is to stay cannot be opened.
    """
    if change.url is not None:
        check_url(change.url, asking.service.context.hook_rules)
    kept = [name for name in ("url", "signing_key") if getattr(change, name) is None]
    held = tx.notifying.sealed_of(asking.scope.factory_id, hook_id) if kept else None
    if held is None:
        return HookSecrets("").changed(change)
    try:
        opened = asking.service.context.vault.open(held[1], hook_id)
    except StorageError as error:
        raise InvalidInputError(str(error), fields={f"secrets.{name}": str(error) for name in kept}) from error
    return msgspec.json.decode(opened, type=HookSecrets).changed(change)


def _columns(asking: Call, secrets: HookSecrets, owner: str) -> dict[str, object]:
    return {
        "host": urlsplit(secrets.url).hostname or "",
        "is_signed": bool(secrets.signing_key),
        "sealed": asking.service.context.vault.seal(msgspec.json.encode(secrets).decode(), owner),
    }
