"""`notify`: try a channel as the settings set it up, look at what became of messages, keep the book."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from factoryops.contracts.http import DeliveryState
from factoryops.database.notification_rows import AlarmFacts, Queued
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.identity import FactoryId, Role, Scope, new_id
from factoryops.domain.notifying import PERSONAL, Addressee, ChannelKind, Language, TargetKind, mask
from factoryops.domain.time import now_us
from factoryops.notifications.channel import Outgoing
from factoryops.notifications.composing import MessageComposer
from factoryops.notifications.wording import word
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of
from factoryops.server.notification_book_commands import register_book


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="How alarms reach people: the book, test messages, the ledger.", no_args_is_help=True)
    group.command("test")(send_test)
    group.command("ledger")(show_ledger)
    register_book(group)
    app.add_typer(group, name="notify")


def send_test(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The contact, or the hook, that gets it.")] = "",
    channel: Annotated[ChannelKind, typer.Option(help="Which way.")] = ChannelKind.EMAIL,
    to: Annotated[str, typer.Option(help="Instead of a name: an e-mail address, or an international number.")] = "",
    language: Annotated[Language, typer.Option(help="With --to: in which language.")] = Language.ENGLISH,
    factory: Annotated[str | None, typer.Option(help="The factory's slug; needed where there are several.")] = None,
) -> None:
    """Send one test message now, past policies and the ledger."""
    from factoryops.server.notifying import open_channels, open_composer  # noqa: PLC0415 - this command alone sends

    settings = context_of(context).settings()
    chosen = next((one for one in open_channels(settings) if one.kind is channel), None)
    if chosen is None:
        raise InvalidInputError("Messages in the client lie in the ledger: send a test from its page Notifications.")
    if to:
        message = _to_address(channel, to, language)
    else:
        with context_of(context).database() as database:
            scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
            composer = open_composer(settings)
            message = database.run(lambda tx: _to_named(tx, scope, composer, name, channel))
    outcome = asyncio.run(chosen.send(message))
    if not outcome.is_accepted:
        raise UnavailableError(f"The test message was not accepted: {outcome.reason}")
    say(f"The other side took the test message for {name or mask(to)} over.")


def show_ledger(
    context: typer.Context,
    factory: Annotated[str | None, typer.Argument(help="The factory's slug; needed where there are several.")] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1_000, help="How many lines.")] = 50,
) -> None:
    """List what became of messages, newest first; addresses are masked."""
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        page = database.read(lambda tx: tx.deliveries(scope).page(state=state, most=most))
    columns = ("when (UTC)", "alarm", "event", "to", "by", "state", "reason")
    rows = [
        (
            f"{one.created_at:%m-%d %H:%M:%S}", f"{one.rule_name}, {one.device_name}", one.event,
            f"{one.recipient} {one.address}".strip(), one.channel.value, one.state.value, one.reason,
        )
        for one in page.deliveries
    ]  # fmt: skip
    show_table(columns, rows)


def _to_named(tx: Transaction, scope: Scope, composer: MessageComposer, name: str, channel: ChannelKind) -> Outgoing:
    """A test message for somebody, or a hook, of the book: with its own address, key and language."""
    if not name:
        raise InvalidInputError(
            "Say who gets the test message: the name of a contact or a hook, or an address with --to."
        )
    book = tx.notifications(scope)
    is_personal = channel in PERSONAL
    row = (book.contacts if is_personal else book.hooks).named(name)
    to = book.addressee(TargetKind.CONTACT if is_personal else TargetKind.HOOK, row.id, channel)
    if to.channel is not channel:
        raise InvalidInputError(f"The hook {name} is of another kind: say --channel {to.channel.value}.")
    tx.audit(scope).add("notification.test", to.id, None, {"recipient": to.name, "channel": channel.value})
    message = composer.compose(tx, new_id(), [_test(to, scope.factory_id)])
    if isinstance(message, str):
        raise InvalidInputError(message)
    return message


def _to_address(channel: ChannelKind, address: str, language: Language) -> Outgoing:
    """A test message for an address that is in no book yet; a hook's is a secret that no list of processes may show."""
    if channel not in PERSONAL:
        raise InvalidInputError("A hook's address is a secret: make the hook first, and give its name instead of --to.")
    test = _test(Addressee("", "", channel, address), FactoryId(""))
    words = word([test], language, "UTC")
    return Outgoing(
        id=new_id(), address=address, language=language, subject=words.subject, text=words.text, html=words.html,
        short=words.short, deliveries=[test],
    )  # fmt: skip


def _test(to: Addressee, factory_id: FactoryId) -> Queued:
    now = now_us()
    facts = AlarmFacts.of_test(now)
    return Queued(
        factory_id, new_id(), "", "", 0, "test", to.id, to.name, to.user, to.channel, facts, 0, "", now,
    )  # fmt: skip
