"""`factoryops-service`: run the service and administer it. The only place of the service that prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from factoryops.domain.errors import FactoryOpsError
from factoryops.server import (
    administration_commands,
    alarm_commands,
    broker_commands,
    certificate_commands,
    credential_commands,
    demo_command,
    influx_commands,
    key_commands,
    mapping_commands,
    mend_commands,
    notification_commands,
    organisation_commands,
    outage_commands,
    performance_commands,
    philosophy_commands,
    plant_commands,
    retention_commands,
    rule_commands,
    run_commands,
    scheduled_rule_commands,
    transfer_commands,
)
from factoryops.server.console import complain
from factoryops.server.context import Context
from factoryops.server.settings import settings_file_from_environment

app = typer.Typer(
    name="factoryops-service",
    help="The FactoryOps service: keeps every sample, raises alarms, serves the control room.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
run_commands.register(app)
administration_commands.register(app)
broker_commands.register(app)
certificate_commands.register(app)
credential_commands.register(app)
plant_commands.register(app)
demo_command.register(app)
influx_commands.register(app)
mapping_commands.register(app)
notification_commands.register(app)
key_commands.register(app)
rule_commands.register(app)
alarm_commands.register(app)
organisation_commands.register(app)
performance_commands.register(app)
outage_commands.register(app)
philosophy_commands.register(app)
mend_commands.register(app)
retention_commands.register(app)
scheduled_rule_commands.register(app)
transfer_commands.register(app)


@app.callback()
def choose_settings(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="The settings file; by default FACTORYOPS_CONFIG, else the embedded defaults.")
    ] = None,
) -> None:
    """Remember which settings the command works with; they are read when it needs them."""
    context.obj = Context(config or settings_file_from_environment())


@app.command()
def openapi() -> None:
    """Print the API's OpenAPI description."""
    from factoryops.api.app import build_openapi  # noqa: PLC0415 - loads the whole API

    sys.stdout.write(json.dumps(build_openapi(), indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    """Run the command line; every error a person can do something about is one sentence and exit code 1."""
    try:
        app()
    except FactoryOpsError as error:
        complain(str(error))
        sys.exit(1)
