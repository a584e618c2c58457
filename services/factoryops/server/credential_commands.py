"""`credential`: what MQTT devices, gateways and tools log in with."""

from __future__ import annotations

import io
from typing import Annotated

import segno
import typer

from factoryops.database.rows import CredentialRecord
from factoryops.domain.credentials import provisioning_text, topic_of
from factoryops.domain.plant import Factory
from factoryops.domain.time import from_us, now_us
from factoryops.identity import credentials
from factoryops.identity.credentials import NewCredential
from factoryops.ingest.logins import read_logins
from factoryops.server.bootstrap import device_address
from factoryops.server.console import say, show_table
from factoryops.server.context import Context, choose_factory, context_of
from factoryops.server.settings import data_folder

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]
Username = Annotated[str, typer.Argument(help="The MQTT user name.")]
Qr = Annotated[bool, typer.Option("--qr", help="Show what the device must know as a QR code, too.")]


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="What MQTT devices log in with.", no_args_is_help=True)
    group.command("add")(add)
    group.command("rotate")(rotate)
    group.command("settle")(settle)
    group.command("revoke")(revoke)
    group.command("list")(list_all)
    app.add_typer(group, name="credential")


def add(
    context: typer.Context,
    factory: Slug,
    username: Username,
    device: Annotated[
        str | None, typer.Option(help="The only device it may publish for; else any of the factory.")
    ] = None,
    tool: Annotated[bool, typer.Option("--tool", help="It may look at the traffic and publish nothing.")] = False,
    qr: Qr = False,
) -> None:
    """Make a device's credential; its secret is printed once."""
    ours = context_of(context)
    with ours.database() as database:
        chosen = choose_factory(database, factory)
        made = credentials.create_credential(database, chosen.id, username=username, device_key=device, is_tool=tool)
    _tell(ours, chosen, made, wants_qr=qr)
    say("The password is not shown again. It works within two seconds.")


def rotate(
    context: typer.Context,
    factory: Slug,
    username: Username,
    overlap_h: Annotated[
        float, typer.Option(help="For how many hours the password before it stays good, up to 720.")
    ] = credentials.OVERLAP_H,
    qr: Qr = False,
) -> None:
    """Give a credential another secret, printed once; the one before stays good for a while."""
    ours = context_of(context)
    with ours.database() as database:
        chosen = choose_factory(database, factory)
        made = credentials.rotate_credential(database, chosen.id, username, overlap_h=overlap_h)
    _tell(ours, chosen, made, wants_qr=qr)
    say(f"The password before it is good until {made.previous_until:%Y-%m-%d %H:%M} UTC.")


def settle(context: typer.Context, factory: Slug, username: Username) -> None:
    """End the overlap of a rotation: the device has its new password."""
    with context_of(context).database() as database:
        credentials.settle_credential(database, choose_factory(database, factory).id, username)
    say(f"{username} has one password only.")


def revoke(context: typer.Context, factory: Slug, username: Username) -> None:
    """Take a credential out of use."""
    with context_of(context).database() as database:
        credentials.revoke_credential(database, choose_factory(database, factory).id, username)
    say(f"{username} can no longer connect.")


def list_all(context: typer.Context, factory: Slug) -> None:
    """List the credentials of a factory; secrets are never shown."""
    ours = context_of(context)
    with ours.database() as database:
        chosen = choose_factory(database, factory)
        listed = [one for one in database.read(lambda tx: tx.credentials.list_all()) if one.factory_id == chosen.id]
    used = read_logins(data_folder(ours.settings()).logins)
    rows = [_row(one, used.get(one.username)) for one in listed]
    show_table(("user name", "for", "device", "last used", "password before it"), rows)


def _row(one: CredentialRecord, used_us: int | None) -> tuple[str, ...]:
    until = one.previous_until
    overlap = "" if until is None or until <= from_us(now_us()) else f"good until {until:%Y-%m-%d %H:%M} UTC"
    used = "never here" if used_us is None else f"{from_us(used_us):%Y-%m-%d %H:%M} UTC"
    return one.username, one.kind.value, one.device_key or "any", used, overlap


def _tell(ours: Context, factory: Factory, made: NewCredential, *, wants_qr: bool) -> None:
    say(f"MQTT user name: {made.username}")
    say(f"MQTT password:  {made.secret}")
    if not wants_qr:
        return
    topic = topic_of(made.kind, factory.slug, made.device_key)
    text = provisioning_text(device_address(ours.settings()), username=made.username, secret=made.secret, topic=topic)
    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out=drawn, compact=True)
    say(drawn.getvalue())
