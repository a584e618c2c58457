"""The demonstration under way: service, simulator and client as one group of processes."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from factoryops.domain.errors import SetupError
from factoryops.server.console import say
from factoryops.server.demo_plant import DemoFolder
from factoryops.server.demo_scene import set_the_scene
from factoryops.server.process_group import ProcessGroup, free_port, wait_for_service

_SCREEN: Final = "1600x1000x24"


async def run_demo(place: DemoFolder, stop: asyncio.Event, *, screenshots: Path | None, wants_client: bool) -> None:
    """Run until `stop` is set or the client is closed; nothing is left behind.

    Raises:
        SetupError: the service could not start or ended by itself, or there is no screen for pictures.
    """
    group = ProcessGroup()
    try:
        await group.start("service", *_service(place, "run", "--lifeline"))
        say("Starting the service ...")
        await wait_for_service(place.api_url, group, stop)
        await group.start("simulator", *_service(place, "simulate", "--lifeline"))
        say(f"The plant runs. The service answers at {place.api_url}; devices publish to port {place.endpoint_port}.")
        if screenshots is not None:
            say("Breaking two machines and printing a report, so that the pictures show something ...")
            await set_the_scene(place)
        if wants_client:
            await _start_client(place, group, screenshots)
        await group.wait(stop, essential="service", final="client")
    finally:
        say("Stopping ...")
        await group.stop()


def _service(place: DemoFolder, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "factoryops.server", "--config", str(place.settings), *arguments)


async def _start_client(place: DemoFolder, group: ProcessGroup, screenshots: Path | None) -> None:
    if importlib.util.find_spec("factoryops_app") is None or importlib.util.find_spec("PySide6") is None:
        say("The desktop client is not installed here; the plant goes on without it.")
        return
    command = [sys.executable, "-m", "factoryops_app.main", "--server", place.api_url, "--login-file", str(place.login)]
    environment = dict(os.environ)
    if screenshots is not None:
        place.picture_settings.unlink(missing_ok=True)
        command += ["--screenshots", str(screenshots), "--settings-file", str(place.picture_settings)]
        environment |= await _virtual_screen(group)
    elif not _has_display():
        say(
            "There is no display, so no window is opened; everything else runs. To attach a client from a desktop "
            f"session of this machine, run:\n  {' '.join(command)}"
        )
        return
    await group.start("client", *command, environment=environment, has_lifeline=False)


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


async def _virtual_screen(group: ProcessGroup) -> dict[str, str]:
    """The environment of a screen for pictures: the real one, or Xvfb's."""
    if _has_display():
        return {}
    if shutil.which("Xvfb") is None:
        raise SetupError("There is no display and Xvfb is not installed; install the package xvfb for screenshots.")
    number = 90 + free_port() % 400
    await group.start("screen", "Xvfb", f":{number}", "-screen", "0", _SCREEN, "-nolisten", "tcp", has_lifeline=False)
    return {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
