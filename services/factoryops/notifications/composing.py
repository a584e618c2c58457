"""From deliveries to a message: its recipient's address and language, its words, its pictures."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from factoryops.contracts import http
from factoryops.database.notification_rows import Queued
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import FactoryOpsError, NotFoundError, StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.notifying import ChannelKind, Contact, Language
from factoryops.history.store import HistoryReader
from factoryops.identity.vault import Vault
from factoryops.notifications.channel import Outgoing, Picture
from factoryops.notifications.hook_bodies import fitted
from factoryops.notifications.hook_secrets import HookSecrets
from factoryops.notifications.wording import by_urgency, word

_CARRY_PICTURES: Final = frozenset({ChannelKind.EMAIL, ChannelKind.WEBHOOK})
_MOST_PICTURES: Final = 5

logger = logging.getLogger(__name__)


class MessageComposer:
    """Makes messages.

    Args:
        reader: where the last hour is read; None for messages without pictures.
    """

    def __init__(self, vault: Vault, reader: HistoryReader | None = None) -> None:
        self._vault = vault
        self._reader = reader

    def compose(self, tx: Transaction, message_id: str, deliveries: Sequence[Queued]) -> Outgoing | str:
        """The message of deliveries to one recipient; a reason when it cannot be sent."""
        first = deliveries[0]
        scope = Scope(first.factory_id, "notifications", Role.VIEWER)
        timezone = tx.factories.get(first.factory_id).timezone
        if first.channel in {ChannelKind.WEBHOOK, ChannelKind.CHAT}:
            return self._to_hook(tx, message_id, deliveries, timezone)
        contact = _contact(tx, scope, first.recipient_id)
        address = contact.address(first.channel) if contact else ""
        if contact is None or not address:
            return "The contact is no longer there, or has no address for this channel any more."
        return _outgoing(message_id, deliveries, address, contact.language, timezone)

    def _to_hook(
        self, tx: Transaction, message_id: str, deliveries: Sequence[Queued], timezone: str
    ) -> Outgoing | str:  # fmt: skip
        held = tx.notifying.sealed_of(deliveries[0].factory_id, deliveries[0].recipient_id)
        if held is None:
            return "The hook is no longer there."
        hook = http.HookContent.model_validate_json(held[0])
        try:
            opened = self._vault.open(held[1], deliveries[0].recipient_id)
        except StorageError as error:
            return str(error)
        secrets = msgspec.json.decode(opened, type=HookSecrets)

        def about(most: int | None) -> Outgoing:
            made = _outgoing(message_id, deliveries, secrets.url, hook.language, timezone, most)
            return dataclasses.replace(made, signing_key=secrets.signing_key, style=hook.kind.value)

        return fitted(about)

    def illustrate(self, message: Outgoing) -> Outgoing:
        """An e-mail or a webhook's message gets the last hour's trend of the most urgent alarms it tells of.

        Without the history it goes without, and other channels carry none.
        """
        if self._reader is None or message.deliveries[0].channel not in _CARRY_PICTURES:
            return message
        pictures: list[Picture] = []
        try:
            for one in by_urgency(message.deliveries)[:_MOST_PICTURES]:
                pictures += [self._picture(self._reader, one, message.timezone)] if one.facts.series_id else []
        except FactoryOpsError as error:
            logger.info("A message goes without a picture: %s", error)
        return dataclasses.replace(message, pictures=pictures)

    def _picture(self, reader: HistoryReader, one: Queued, timezone: str) -> Picture:
        from factoryops.notifications.trend import trend  # noqa: PLC0415 - loads what draws, with the first picture

        shows = f"{one.facts.device_name}, {one.facts.rule_name}"
        return Picture(one.alarm_id, shows, trend(reader, one.facts, timezone))


def _contact(tx: Transaction, scope: Scope, identity: str) -> Contact | None:
    contacts = tx.notifications(scope).contacts
    try:
        return contacts.read(contacts.one(identity)).definition()
    except NotFoundError:
        return None


def _outgoing(
    message_id: str,
    deliveries: Sequence[Queued],
    address: str,
    language: Language,
    timezone: str,
    most: int | None = None,
) -> Outgoing:
    words = word(deliveries, language, timezone, most)
    return Outgoing(
        id=message_id, address=address, language=language, subject=words.subject, text=words.text, html=words.html,
        short=words.short, deliveries=deliveries if most is None else words.told, timezone=timezone, spare=words.spare,
        left_out=words.left_out,
    )  # fmt: skip
