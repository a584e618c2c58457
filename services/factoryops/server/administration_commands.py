"""`factory` and `user`: who belongs to the plant."""

from __future__ import annotations

from typing import Annotated

import typer

from factoryops.domain.identity import Role
from factoryops.identity import administration
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of

Tenant = Annotated[str, typer.Option(help="Its id in topics <tenant>/devices/<device>/telemetry: SH and 8 digits.")]
Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]


def register(app: typer.Typer) -> None:
    """Add the command groups to the program."""
    factory = typer.Typer(help="Factories of this installation.", no_args_is_help=True)
    factory.command("add")(add_factory)
    factory.command("change")(change_factory)
    factory.command("list")(list_factories)
    user = typer.Typer(help="People who may log in.", no_args_is_help=True)
    user.command("add")(add_user)
    user.command("list")(list_users)
    user.command("password")(reset_password)
    user.command("deactivate")(deactivate_user)
    for name, group in (("factory", factory), ("user", user)):
        app.add_typer(group, name=name)


def add_factory(
    context: typer.Context,
    slug: Slug,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    timezone: Annotated[str, typer.Option(help="Its time zone, such as Europe/Berlin.")] = "UTC",
    admin: Annotated[str, typer.Option(help="The first administrator's user name.")] = "admin",
    adopt: Annotated[
        bool, typer.Option(help="Take up unknown devices of authenticated publishers by themselves.")
    ] = True,
    tenant: Tenant = "",
) -> None:
    """Add a factory with its first administrator, whose password is printed once."""
    with context_of(context).database() as database:
        made = administration.create_factory(
            database,
            slug=slug,
            name=name or slug,
            timezone=timezone,
            adopts_automatically=adopt,
            tenant=tenant,
            admin_name=admin,
        )
    say(f"Factory {made.factory.slug} ({made.factory.name}) was added.")
    _say_password(made.admin)


def change_factory(context: typer.Context, slug: Slug, tenant: Tenant) -> None:
    """Give a factory the tenant id that its devices have in their topics, or take it away with an empty one."""
    with context_of(context).database() as database:
        factory = choose_factory(database, slug)
        made = database.run(lambda tx: tx.factories.set_tenant(factory.id, tenant))
    say(
        f"Factory {made.slug} has the tenant id {made.tenant}."
        if made.tenant
        else f"Factory {made.slug} has no tenant id."
    )


def list_factories(context: typer.Context) -> None:
    """List the factories."""
    with context_of(context).database() as database:
        factories = database.read(lambda tx: tx.factories.list())
    rows = [
        (one.slug, one.name, one.timezone, "yes" if one.adopts_automatically else "no", one.tenant) for one in factories
    ]
    show_table(("slug", "name", "time zone", "adopts devices", "tenant"), rows)


def add_user(
    context: typer.Context,
    factory: Slug,
    name: Annotated[str, typer.Argument(help="The user name.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.OPERATOR,
) -> None:
    """Add a person; their password is printed once."""
    with context_of(context).database() as database:
        made = administration.create_user(database, choose_factory(database, factory).id, name, role)
    say(f"{name} may log in to {factory} as {role}.")
    _say_password(made)


def list_users(context: typer.Context, factory: Slug) -> None:
    """List the people of a factory."""
    with context_of(context).database() as database:
        users = administration.list_users(database, choose_factory(database, factory).id)
    show_table(("name", "role", "active"), [(one.name, one.role, "yes" if one.is_active else "no") for one in users])


def reset_password(context: typer.Context, factory: Slug, name: str) -> None:
    """Give a person a new password, printed once; their sessions end."""
    with context_of(context).database() as database:
        made = administration.set_password(database, choose_factory(database, factory).id, name)
    _say_password(made)


def deactivate_user(context: typer.Context, factory: Slug, name: str) -> None:
    """Take a person's access away; their sessions end."""
    with context_of(context).database() as database:
        administration.set_active(database, choose_factory(database, factory).id, name, False)
    say(f"{name} can no longer log in.")


def _say_password(made: administration.NewUser) -> None:
    say(f"User name: {made.user.name}")
    say(f"Password:  {made.password}")
    say("The password is not shown again.")
