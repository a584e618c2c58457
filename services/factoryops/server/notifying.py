"""The channels of the settings, and the dispatcher that uses them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from factoryops.database.database import Database
from factoryops.domain.errors import SetupError
from factoryops.domain.notifying import ChannelKind
from factoryops.history.store import HistoryReader
from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.identity.vault import Vault
from factoryops.notifications.channel import Channel, Outcome, UnusableChannel
from factoryops.notifications.composing import MessageComposer
from factoryops.notifications.hooks import HookChannel, HookPoster
from factoryops.notifications.mail import MailChannel, MailServer
from factoryops.notifications.service import NotificationService
from factoryops.notifications.twilio import TwilioAccount, TwilioChannel
from factoryops.server.bootstrap import hook_rules, open_history_reader
from factoryops.server.settings import Settings, data_folder, read_secret

logger = logging.getLogger(__name__)


def open_channels(settings: Settings) -> list[Channel]:
    """One channel of each kind; one whose secret cannot be read says so and lets its messages wait."""
    poster = HookPoster(hook_rules(settings))
    return [
        _or_unusable(ChannelKind.EMAIL, lambda: _mail(settings)),
        _or_unusable(ChannelKind.SMS, lambda: _twilio(settings, ChannelKind.SMS)),
        _or_unusable(ChannelKind.WHATSAPP, lambda: _twilio(settings, ChannelKind.WHATSAPP)),
        HookChannel(ChannelKind.WEBHOOK, poster),
        HookChannel(ChannelKind.CHAT, poster),
    ]


def open_dispatcher(settings: Settings, database: Database) -> NotificationService:
    """The dispatcher, its ports in place; what is wrong with one never keeps the engine, which runs it, from alarms."""
    composer = open_composer(settings, _history_or_none(settings))
    return NotificationService(database, open_channels(settings), composer, data_folder(settings).heartbeats)


def open_composer(settings: Settings, reader: HistoryReader | None = None) -> MessageComposer:
    """What makes messages, with the installation's vault; without `reader` they have no pictures."""
    return MessageComposer(Vault(load_or_create_instance_key(data_folder(settings).instance_key)), reader)


def _or_unusable(kind: ChannelKind, make: Callable[[], Channel]) -> Channel:
    try:
        return make()
    except SetupError as error:
        return UnusableChannel(kind, Outcome(str(error), is_login_refused=True))


def _history_or_none(settings: Settings) -> HistoryReader | None:
    try:
        return open_history_reader(settings)
    except SetupError as error:
        logger.warning("Messages go without the picture of the last hour: %s", error)
        return None


def _missing(kind: ChannelKind, section: str) -> Channel:
    reason = f"This channel is not set up: the settings have no {section}."
    return UnusableChannel(kind, Outcome(reason, is_permanent=True))


def _mail(settings: Settings) -> Channel:
    wanted = settings.notifications.smtp
    if wanted is None:
        return _missing(ChannelKind.EMAIL, "[notifications.smtp]")
    password = read_secret(wanted.password_file) if wanted.password_file else None
    return MailChannel(
        MailServer(
            host=wanted.host,
            port=wanted.port,
            sender=wanted.sender,
            security=wanted.security,
            username=wanted.username,
            password=password,
            ca_file=wanted.ca_file,
            timeout_s=wanted.timeout_s,
        )
    )


def _twilio(settings: Settings, kind: ChannelKind) -> Channel:
    wanted = settings.notifications.twilio
    is_sms = kind is ChannelKind.SMS
    sender = None if wanted is None else wanted.sms_from if is_sms else wanted.whatsapp_from
    if wanted is None or sender is None:
        return _missing(kind, f"[notifications.twilio] with {'sms' if is_sms else 'whatsapp'}_from")
    account = TwilioAccount(wanted.account_sid, read_secret(wanted.auth_token_file), sender, wanted.url)
    return TwilioChannel(kind, account)
