"""What MQTT clients log in with. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class CredentialsClient(Protocol):
    """What a client of the service can ask and change about credentials."""

    async def credentials(self) -> list[http.Credential]:
        """The factory's credentials, by user name."""
        ...

    async def create_credential(self, request: http.CredentialRequest) -> http.NewSecret:
        """Make one; its secret is told once. Raises ConflictError when the name is taken."""
        ...

    async def rotate_credential(self, credential_id: str, request: http.RotationRequest) -> http.NewSecret:
        """Give one another secret; the one before stays good for a while."""
        ...

    async def settle_credential(self, credential_id: str) -> http.Credential:
        """End the overlap of a rotation."""
        ...

    async def revoke_credential(self, credential_id: str) -> None:
        """Take one out of use; whoever is connected with it is sent away."""
        ...
