"""Who is told of alarms: contacts, rosters, hooks and policies, kept and changed."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from factoryops.api.call import Asking, Call
from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import new_id
from factoryops.notifications.hook_secrets import HookSecrets, check_url, sealed_secrets


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
    columns = _columns(asking, body.secrets, identity)

    def work(tx: Transaction) -> http.Hook:
        book = tx.notifications(asking.scope)
        return book.hook(book.hooks.create(body.content, identity, **columns))

    return await asking.change(work)


async def update_hook(hook_id: http.Identifier, body: http.HookUpdate, asking: Asking) -> http.Hook:
    """Change a hook; without new secrets it keeps those it has."""

    def work(tx: Transaction) -> http.Hook:
        book = tx.notifications(asking.scope)
        book.hooks.one(hook_id)
        columns: dict[str, object] = {}
        if body.secrets is not None:
            columns = _columns(asking, body.secrets, hook_id, _held_key(asking, tx, body.secrets, hook_id))
        return book.hook(book.hooks.update(hook_id, body.version, body.content, **columns))

    return await asking.change(work)


async def delete_hook(hook_id: http.Identifier, asking: Asking) -> None:
    """Take a hook and its secrets away; refused while a policy names it."""
    await asking.change(lambda tx: tx.notifications(asking.scope).delete_hook(hook_id))


def _held_key(asking: Call, tx: Transaction, secrets: http.HookSecrets, hook_id: str) -> str:
    """The signing key a hook has, where another is not sent; raises InvalidInputError when it cannot be opened."""
    held = tx.notifying.sealed_of(asking.scope.factory_id, hook_id) if secrets.signing_key is None else None
    if held is None:
        return ""
    try:
        opened = asking.service.context.vault.open(held[1], hook_id)
    except StorageError as error:
        raise InvalidInputError(str(error), fields={"secrets.signing_key": str(error)}) from error
    return msgspec.json.decode(opened, type=HookSecrets).signing_key


def _columns(asking: Call, secrets: http.HookSecrets, owner: str, held_key: str = "") -> dict[str, object]:
    context = asking.service.context
    check_url(secrets.url, context.hook_rules)
    sealed = sealed_secrets(secrets, held_key)
    return {
        "host": urlsplit(secrets.url).hostname or "",
        "is_signed": bool(sealed.signing_key),
        "sealed": context.vault.seal(msgspec.json.encode(sealed).decode(), owner),
    }
