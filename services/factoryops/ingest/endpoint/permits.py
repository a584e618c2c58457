"""What a client may listen to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from factoryops.ingest.endpoint.filters import Subscription, is_filter
from factoryops.ingest.endpoint.reasons import ReasonCode

MOST_SUBSCRIPTIONS: Final = 100
"""Filters of one client."""


@dataclass(frozen=True, slots=True)
class Permits:
    """What the credential says about listening.

    Attributes:
        may_subscribe: whether it may at all.
        slug: the short name of its factory in topics.
    """

    may_subscribe: bool
    slug: str

    def judge(self, one: Subscription, held: Sequence[str]) -> ReasonCode:
        """SUCCESS, or why a filter is refused to a client that holds others already."""
        if one.is_shared:
            return ReasonCode.SHARED_NOT_SUPPORTED
        if not is_filter(one.filter):
            return ReasonCode.TOPIC_FILTER_INVALID
        if not self.may_subscribe or self._is_elsewhere(one.filter):
            return ReasonCode.NOT_AUTHORISED
        if one.filter not in held and len(held) >= MOST_SUBSCRIPTIONS:
            return ReasonCode.QUOTA_EXCEEDED
        return ReasonCode.SUCCESS

    def _is_elsewhere(self, wanted: str) -> bool:
        """Whether a filter names what is the server's own, or another factory's by its place in the topic."""
        levels = wanted.split("/")
        if levels[0].startswith("$"):
            return True
        return levels[0] == "factories" and len(levels) > 1 and levels[1] not in {"+", "#", self.slug}
