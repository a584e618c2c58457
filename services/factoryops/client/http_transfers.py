"""Import and export over HTTP: the part of `HttpPlant` that implements `TransfersClient`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from factoryops.client.http_sources import Asks
from factoryops.client.port_transfers import Sent
from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError

_PIECE_BYTES: Final = 1 << 18


class HttpTransfers:
    """Files in and out."""

    async def upload(self: Asks, file: Path, *, sent: Sent | None = None) -> http.Upload:
        """Send a file to be imported, piece by piece."""
        query = {"name": file.name[:200]}
        return await self._ask("POST", "uploads", http.Upload, query=query, body=_pieces(file, sent))

    async def uploads(self: Asks) -> list[http.Upload]:
        """Files that wait to be imported."""
        return (await self._ask("GET", "uploads", http.UploadList)).uploads

    async def preview_upload(self: Asks, upload_id: str, plan: http.ImportPlan) -> http.Upload:
        """How a file would be read by a plan."""
        return await self._ask("POST", f"uploads/{upload_id}/preview", http.Upload, body=plan)

    async def delete_upload(self: Asks, upload_id: str) -> None:
        """Delete a file that waits."""
        await self._send("DELETE", f"uploads/{upload_id}")

    async def start_import(self: Asks, request: http.ImportRequest) -> http.Run:
        """Import an uploaded file."""
        return await self._ask("POST", "imports", http.Run, body=request)

    async def start_export(self: Asks, plan: http.ExportPlan) -> http.Run:
        """Write a range of history to a file."""
        return await self._ask("POST", "exports", http.Run, body=plan)

    async def estimate_export(self: Asks, plan: http.ExportPlan) -> http.ExportEstimate:
        """About how much an export will be."""
        return await self._ask("POST", "exports/estimate", http.ExportEstimate, body=plan)


async def _pieces(file: Path, sent: Sent | None) -> AsyncIterator[bytes]:
    """The bytes of a file; reading it never holds up the loop."""
    try:
        stream = await asyncio.to_thread(file.open, "rb")
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror or error}.") from error
    done = 0
    try:
        while piece := await asyncio.to_thread(stream.read, _PIECE_BYTES):
            yield piece
            done += len(piece)
            if sent is not None:
                sent(done)
    finally:
        await asyncio.to_thread(stream.close)
