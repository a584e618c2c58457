"""`demo`: one command brings a simulated plant to life, opens the client, and takes all of it away again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from factoryops.server.role_process import run_role


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(demo)


def demo(
    folder: Annotated[Path, typer.Option(help="Where its data and its random password lie.")] = Path(".demo"),
    screenshots: Annotated[Path | None, typer.Option(help="Save pictures of every page here, then stop.")] = None,
    client: Annotated[bool, typer.Option(help="Open the desktop client.")] = True,
) -> None:
    """Start the service, a simulated plant and the client, logged in; Ctrl-C stops all of it."""
    from factoryops.server.demo_plant import DemoFolder, prepare  # noqa: PLC0415 - the other commands start sooner
    from factoryops.server.demo_run import run_demo  # noqa: PLC0415 - as above

    place = DemoFolder(folder.absolute())
    pictures = screenshots.absolute() if screenshots else None
    prepare(place)
    sys.exit(run_role(lambda stop: run_demo(place, stop, screenshots=pictures, wants_client=client), lifeline=None))
