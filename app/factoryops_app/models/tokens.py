"""Where the session's token is kept between two starts: the system's keyring, or nowhere."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

logger = logging.getLogger(__name__)

SERVICE: Final = "FactoryOps"
KEYRING_PATIENCE_S: Final = 5.0


class TokenKeeper(Protocol):
    """Keeps one token per server, factory and user; never in a plain file."""

    async def load(self, account: str) -> str | None:
        """The kept token; None when there is none or nothing can be kept."""
        ...

    async def save(self, account: str, token: str) -> bool:
        """Keep a token; False when this computer has no safe place for it."""
        ...

    async def forget(self, account: str) -> None:
        """Remove a kept token."""
        ...


def account_name(server: str, factory: str, user: str) -> str:
    """The name under which a token is kept."""
    return f"{user}@{factory} {server}"


class MemoryTokens:
    """Keeps nothing beyond this run; for tests and for computers without a keyring."""

    def __init__(self, *, is_safe: bool = False) -> None:
        self.kept: dict[str, str] = {}
        self._is_safe = is_safe

    async def load(self, account: str) -> str | None:
        """The kept token."""
        return self.kept.get(account)

    async def save(self, account: str, token: str) -> bool:
        """Keep it for this run."""
        self.kept[account] = token
        return self._is_safe

    async def forget(self, account: str) -> None:
        """Remove it."""
        self.kept.pop(account, None)


class KeyringTokens:
    """The system's keyring (Windows Credential Manager, macOS Keychain, Secret Service), asked in its own thread.

    A keyring that is missing, locked or silent for KEYRING_PATIENCE_S counts as none.
    """

    async def load(self, account: str) -> str | None:
        """The kept token."""
        found = await self._ask(_load, account)
        return found if isinstance(found, str) else None

    async def save(self, account: str, token: str) -> bool:
        """Keep it in the keyring."""
        return await self._ask(_save, account, token) is True

    async def forget(self, account: str) -> None:
        """Remove it from the keyring."""
        await self._ask(_forget, account)

    async def _ask(self, question: _Question, *arguments: str) -> object:
        try:
            async with asyncio.timeout(KEYRING_PATIENCE_S):
                return await asyncio.to_thread(question, *arguments)
        except TimeoutError:
            logger.info("the system's keyring does not answer; the login is kept in memory only")
            return None


class _Question(Protocol):
    def __call__(self, *arguments: str) -> object: ...


def _load(*arguments: str) -> object:
    return _through_keyring("get_password", SERVICE, *arguments)


def _save(*arguments: str) -> object:
    return _through_keyring("set_password", SERVICE, *arguments) is not _MISSING


def _forget(*arguments: str) -> object:
    return _through_keyring("delete_password", SERVICE, *arguments)


_MISSING: Final = object()


def _through_keyring(action: str, *arguments: str) -> object:
    import keyring  # noqa: PLC0415 - it looks for backends for a quarter of a second; the login window does not wait
    from keyring.backends import fail, null  # noqa: PLC0415 - as above
    from keyring.errors import KeyringError  # noqa: PLC0415 - as above

    try:
        if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
            return _MISSING
        return getattr(keyring, action)(*arguments)
    except (KeyringError, OSError, RuntimeError) as error:
        logger.info("the system's keyring cannot be used (%s); the login is kept in memory only", type(error).__name__)
        return _MISSING
