"""Import and export of history: a part of the port that `factoryops.client.port.PlantClient` inherits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from factoryops.contracts import http

Sent = Callable[[int], None]
"""Told how many bytes of a file have gone out."""


class TransfersClient(Protocol):
    """Files in and out."""

    async def upload(self, file: Path, *, sent: Sent | None = None) -> http.Upload:
        """Send a file to be imported; answers how it would be read."""
        ...

    async def uploads(self) -> list[http.Upload]:
        """Files that wait to be imported, newest first."""
        ...

    async def preview_upload(self, upload_id: str, plan: http.ImportPlan) -> http.Upload:
        """How a file would be read by a plan."""
        ...

    async def delete_upload(self, upload_id: str) -> None:
        """Delete a file that waits; what was imported from it stays."""
        ...

    async def start_import(self, request: http.ImportRequest) -> http.Run:
        """Import an uploaded file, or say what would happen."""
        ...

    async def start_export(self, plan: http.ExportPlan) -> http.Run:
        """Write a range of history to a file; it is an artifact of the run."""
        ...

    async def estimate_export(self, plan: http.ExportPlan) -> http.ExportEstimate:
        """About how much an export will be."""
        ...
