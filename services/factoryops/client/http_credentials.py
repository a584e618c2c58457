"""Credentials over HTTP: the part of `HttpPlant` that implements `CredentialsClient`."""

from __future__ import annotations

from factoryops.client.http_sources import Asks
from factoryops.contracts import http


class HttpCredentials:
    """What MQTT clients log in with."""

    async def credentials(self: Asks) -> list[http.Credential]:
        """The factory's credentials."""
        return (await self._ask("GET", "credentials", http.CredentialList)).credentials

    async def create_credential(self: Asks, request: http.CredentialRequest) -> http.NewSecret:
        """Make one; its secret is told once."""
        return await self._ask("POST", "credentials", http.NewSecret, body=request)

    async def rotate_credential(self: Asks, credential_id: str, request: http.RotationRequest) -> http.NewSecret:
        """Give one another secret."""
        return await self._ask("POST", f"credentials/{credential_id}/rotation", http.NewSecret, body=request)

    async def settle_credential(self: Asks, credential_id: str) -> http.Credential:
        """End the overlap of a rotation."""
        return await self._ask("DELETE", f"credentials/{credential_id}/rotation", http.Credential)

    async def revoke_credential(self: Asks, credential_id: str) -> None:
        """Take one out of use."""
        await self._send("DELETE", f"credentials/{credential_id}")
