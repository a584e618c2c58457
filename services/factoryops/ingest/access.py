"""Who may log in at the endpoint, and who may stay, from the signed snapshot."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from factoryops.contracts.snapshot import Snapshot, SnapshotCredential
from factoryops.ingest.devices import Publisher

_NOBODY: Final = hashlib.sha256(b"nobody").hexdigest()


class Access:
    """Which user name and secret open the endpoint.

    After a rotation two secrets are good for a while; whoever came with the older one may stay until it ends.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        factories = {factory.id for factory in snapshot.factories}
        self._credentials: dict[str, SnapshotCredential] = {
            one.username: one for one in snapshot.credentials if one.factory_id in factories
        }
        self._ends_us = sorted({one.previous_until_us for one in self._credentials.values() if one.previous_until_us})

    def admit(self, username: str, secret: bytes, moment_us: int) -> Publisher | None:
        """The publisher that a user name and secret belong to; None when they do not match."""
        credential = self._credentials.get(username)
        digest = hashlib.sha256(secret).hexdigest()
        if credential is None:
            hmac.compare_digest(digest, _NOBODY)
            return None
        return _publisher(credential, digest) if _is_good(credential, digest, moment_us) else None

    def may_stay(self, publisher: Publisher, moment_us: int) -> bool:
        """Whether a publisher that logged in before could do so now, for the same."""
        credential = self._credentials.get(publisher.label)
        if credential is None or not _is_good(credential, publisher.secret_sha256, moment_us):
            return False
        return _publisher(credential, publisher.secret_sha256) == publisher

    def has_overlap_ended(self, moment_us: int) -> bool:
        """Whether an older secret has ended since the last call."""
        ended = 0
        while ended < len(self._ends_us) and self._ends_us[ended] <= moment_us:
            ended += 1
        del self._ends_us[:ended]
        return ended > 0


def _publisher(credential: SnapshotCredential, digest: str) -> Publisher:
    return Publisher(
        credential.username,
        credential.factory_id,
        credential.device_key,
        secret_sha256=digest,
        may_subscribe=credential.may_subscribe,
    )


def _is_good(credential: SnapshotCredential, digest: str, moment_us: int) -> bool:
    if hmac.compare_digest(digest, credential.secret_sha256.lower()):
        return True
    is_before_end = moment_us < credential.previous_until_us
    return is_before_end and hmac.compare_digest(digest, credential.previous_sha256.lower())
