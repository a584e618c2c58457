"""`notify`: try a channel as the settings set it up, and look at what became of messages."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from factoryops.contracts.http import DeliveryState
from factoryops.database.notification_rows import AlarmFacts, Queued
from factoryops.domain.alarms import Priority
from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.identity import FactoryId, Role, Scope, new_id
from factoryops.domain.notifying import ChannelKind, Language, mask
from factoryops.domain.time import now_us
from factoryops.notifications.channel import Outgoing
from factoryops.notifications.wording import word
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="How alarms reach people: try a channel, look at the ledger.", no_args_is_help=True)
    group.command("test")(send_test)
    group.command("ledger")(show_ledger)
    app.add_typer(group, name="notify")


def send_test(
    context: typer.Context,
    channel: Annotated[ChannelKind, typer.Option(help="Which way.")],
    to: Annotated[str, typer.Option(help="An e-mail address, an international number, or a hook's whole address.")],
    language: Annotated[Language, typer.Option(help="In which language.")] = Language.ENGLISH,
) -> None:
    """Send one test message now, past contacts, policies and the ledger."""
    from factoryops.server.notifying import open_channels  # noqa: PLC0415 - this command alone sends

    chosen = next((one for one in open_channels(context_of(context).settings()) if one.kind is channel), None)
    if chosen is None:
        raise InvalidInputError("Messages in the client lie in the ledger: send a test over the API.")
    outcome = asyncio.run(chosen.send(_test_message(channel, to, language)))
    if not outcome.is_accepted:
        raise UnavailableError(f"The test message was not accepted: {outcome.reason}")
    say(f"The other side took the test message for {'the hook' if '://' in to else mask(to)} over.")


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


def _test_message(channel: ChannelKind, to: str, language: Language) -> Outgoing:
    facts = AlarmFacts("", "Test", "", "FactoryOps", "", "", 0, "", int(Priority.LOW), "", "", now_us())
    test = Queued(FactoryId(""), new_id(), "", "", 0, "test", "", "", "", channel, facts, 0, "", now_us())
    words = word([test], language, "UTC")
    return Outgoing(
        id=new_id(), address=to, language=language, subject=words.subject, text=words.text, html=words.html,
        short=words.short, deliveries=[test], style="slack",
    )  # fmt: skip
