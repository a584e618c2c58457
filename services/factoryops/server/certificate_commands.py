"""`certificate`: the plant's own certificate authority."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factoryops.certificates.authority import AUTHORITY_DAYS, CERTIFICATE_DAYS, Authority, create_authority
from factoryops.certificates.facts import inspect
from factoryops.certificates.ledger import Issued, Purpose
from factoryops.domain.time import from_us, now_us
from factoryops.server.console import say, show_table
from factoryops.server.context import context_of
from factoryops.server.settings import data_folder

Name = Annotated[str, typer.Argument(help="The certificate's name here, such as broker or api.")]
Days = Annotated[int, typer.Option(help="For how many days it is good.")]


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="The plant's own certificate authority.", no_args_is_help=True)
    group.command("create-ca")(create_ca)
    group.command("issue")(issue)
    group.command("renew")(renew)
    group.command("revoke")(revoke)
    group.command("list")(list_issued)
    group.command("inspect")(inspect_file)
    app.add_typer(group, name="certificate")


def create_ca(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What people see in the certificate.")] = "FactoryOps plant CA",
    days: Days = AUTHORITY_DAYS,
) -> None:
    """Make the authority; once per installation."""
    made = create_authority(_folder(context), name=name, valid_days=days)
    say(f"The authority was made. Give {made.ca_file} to whoever connects; keep its folder to yourself.")
    say(f"Fingerprint (SHA-256): {made.facts.fingerprint}")


def issue(
    context: typer.Context,
    name: Name,
    host: Annotated[
        list[str] | None, typer.Option(help="A name or address that clients connect to; may be repeated.")
    ] = None,
    client: Annotated[bool, typer.Option("--client", help="For a client instead of a server.")] = False,
    days: Days = CERTIFICATE_DAYS,
) -> None:
    """Make a key and a certificate for a server, or for a client."""
    authority = Authority(_folder(context))
    purpose = Purpose.CLIENT if client else Purpose.SERVER
    _say_issued(authority, authority.issue(name, purpose, host or (), valid_days=days))


def renew(context: typer.Context, name: Name, days: Days = CERTIFICATE_DAYS) -> None:
    """Replace a certificate and its key by new ones for the same names."""
    authority = Authority(_folder(context))
    _say_issued(authority, authority.renew(name, valid_days=days))
    say("Restart what uses it, or tell it to read its files again.")


def revoke(context: typer.Context, name: Name) -> None:
    """Declare every certificate of a name void; brokers must read the list of revoked ones again."""
    authority = Authority(_folder(context))
    authority.revoke(name)
    say(f"{name} is revoked. The list of revoked certificates is {authority.crl_file}.")


def list_issued(context: typer.Context) -> None:
    """List what was issued, and when it ends."""
    authority = Authority(_folder(context))
    facts = authority.facts
    rows = [("authority", "", facts.subject, f"{facts.ends_at:%Y-%m-%d}", "good")]
    rows += [
        (one.name, one.purpose.value, ", ".join(one.hosts), f"{from_us(one.ends_us):%Y-%m-%d}", _state(one))
        for one in authority.listed()
    ]
    show_table(("name", "for", "names", "ends", "state"), rows)


def inspect_file(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="A certificate in PEM form.")]
) -> None:
    """Say what a certificate file holds."""
    context_of(context)
    facts = inspect(file)
    rows = [
        ("subject", facts.subject),
        ("issued by", facts.issuer),
        ("names", ", ".join(facts.hosts) or "none"),
        ("good from", f"{facts.starts_at:%Y-%m-%d %H:%M} UTC"),
        ("good until", f"{facts.ends_at:%Y-%m-%d %H:%M} UTC"),
        ("is an authority", "yes" if facts.is_authority else "no"),
        ("serial", facts.serial),
        ("fingerprint", facts.fingerprint),
    ]
    show_table(("", ""), rows)


def _folder(context: typer.Context) -> Path:
    return data_folder(context_of(context).settings()).certificates


def _say_issued(authority: Authority, issued: Issued) -> None:
    say(f"{issued.name} is good until {from_us(issued.ends_us):%Y-%m-%d}.")
    say(f"Certificate: {authority.certificate_file(issued.name)}")
    say(f"Key:         {authority.key_file(issued.name)}")


def _state(issued: Issued) -> str:
    if issued.revoked_us:
        return "revoked"
    return "ended" if issued.ends_us <= now_us() else "good"
