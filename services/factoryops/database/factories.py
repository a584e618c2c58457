"""Factories: what everything else belongs to."""

from __future__ import annotations

import builtins

from factoryops.domain.identity import FactoryId
from factoryops.domain.plant import Factory


class Factories:
    """All factories of the installation; for login, the roles and the command line, never for a user's request."""

    def list(self) -> builtins.list[Factory]:
        """All, by slug."""
        raise NotImplementedError

    def find_by_slug(self, slug: str) -> Factory | None:
        """The factory of a slug."""
        raise NotImplementedError

    def get(self, factory_id: FactoryId) -> Factory:
        """The factory of an id, or NotFoundError."""
        raise NotImplementedError

    def create(self, slug: str, name: str, timezone: str, adopts_automatically: bool = True) -> Factory:
        """Add one.

        Raises:
            InvalidInputError: the slug or the time zone cannot be used.
            ConflictError: the slug is taken.
        """
        raise NotImplementedError
