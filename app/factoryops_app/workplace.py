"""What every page is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from factoryops.contracts import http
from factoryops_app.models.pens import PenList
from factoryops_app.models.session import Session
from factoryops_app.models.settings import Settings
from factoryops_app.opener import Opener
from factoryops_app.tasks import Tasks
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.redraw_clock import RedrawClock


class PageKey(StrEnum):
    """The pages by name."""

    OVERVIEW = "overview"
    DEVICE = "devices"
    TRENDS = "trends"
    ALARMS = "alarms"
    RULES = "rules"
    PERFORMANCE = "performance"
    NOTIFICATIONS = "notifications"
    JOBS = "jobs"
    SOURCES = "sources"
    DATA = "data"
    FACTORY = "factory"
    HEALTH = "health"


class AlarmDeed(StrEnum):
    """What can be done with alarms from the keyboard, beside acknowledging them; mostly with the chosen ones."""

    RESPONSE = "response"
    SHELVE = "shelve"
    TAKE_OUT = "take_out"
    TAKE_UP = "take_up"
    RESET = "reset"
    PUT_ASIDE = "put_aside"
    """Put aside beforehand what is in no list."""


@dataclass(frozen=True, slots=True)
class RuleOffer:
    """A change of a rule that is proposed elsewhere.

    Attributes:
        content: the rule with the change.
        reason: why, to be kept with its version.
        version: of the rule that the change is one of; a later one is left alone.
    """

    content: http.RuleContent
    reason: str
    version: int


@dataclass(frozen=True, slots=True)
class Target:
    """What a page is to show; what is not set stays as it is.

    Attributes:
        ids: a device for the device page, parameters for the trends, an alarm for the alarm list, a rule for rules,
            a tab for pages of tabs.
        at_us: the moment to look at.
        offer: to be filled into the rule's form, not saved.
    """

    ids: tuple[str, ...] = ()
    at_us: int | None = None
    offer: RuleOffer | None = None


class Navigator(Protocol):
    """Goes to pages and says short things."""

    def go(self, page: PageKey, target: Target | None = None) -> None:
        """Show a page."""
        ...

    def say_briefly(self, sentence: str) -> None:
        """Show a sentence in the status line for a while."""
        ...


@dataclass(frozen=True, slots=True)
class Workplace:
    """Everything a page needs: what is known, how it looks, and where to go from here."""

    session: Session
    look: Appearance
    clock: RedrawClock
    settings: Settings
    tasks: Tasks
    pens: PenList
    navigator: Navigator
    opener: Opener
    reports_folder: Callable[[], Path]
