"""Lists of alarms that are a nuisance, one tab each; an empty one says why it is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtWidgets import QPushButton, QTabWidget, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.performance.nuisance import Chattering, Fleeting, Frequent, Standing
from factoryops.domain.performance.rates import FloodSpan
from factoryops.domain.performance.responses import PriorityFigures
from factoryops.domain.time import from_us
from factoryops_app.models.performance import Listed, PairRow, listed, pair_rows, percent, seconds
from factoryops_app.models.wording import priority_name
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment, number
from factoryops_widgets.state_view import StateView

Row = TypeVar("Row")
Of = TypeVar("Of")


@dataclass(frozen=True, slots=True)
class ListWords:
    """What a list is called, and what an empty one says."""

    name: str
    title: str
    empty: str
    explanation: str


class ListTab(QWidget, Generic[Row]):
    """A table that says why it is empty.

    Attributes:
        table: its rows.
        states: the table, or why it is empty.
    """

    def __init__(
        self, place: Workplace, words: ListWords, columns: Sequence[ColumnSpec[Row]], key: Callable[[Row], str]
    ) -> None:
        super().__init__()
        self.words = words
        self.table: DataTable[Row] = DataTable(
            place.look, columns, name=f"performance-{words.name}", settings=place.settings, row_key=key
        )
        self.states = StateView(place.look, self.table)
        layout = QVBoxLayout(self)
        px = place.look.px
        layout.setContentsMargins(px(8), px(8), px(8), px(8))
        layout.addWidget(self.states)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these, or why there are none."""
        self.table.set_rows(rows)
        if rows:
            self.states.show_content()
        else:
            self.states.show_empty(self.words.empty, self.words.explanation)


class NuisanceTab(ListTab[Listed[Of]]):
    """Alarms for which calmer rules can be proposed.

    Attributes:
        propose: the button for it.
    """

    def __init__(self, place: Workplace, words: ListWords, columns: Sequence[ColumnSpec[Listed[Of]]]) -> None:
        super().__init__(place, words, [*_alarm_columns(), *columns], _alarm_key)
        self.propose = QPushButton(say("Propose a mend"))
        self.propose.setToolTip(say("For the chosen alarms, else for all of the list; nothing is changed by it"))
        self.table.add_tool(self.propose)

    def wanted(self) -> list[str]:
        """Ids of the chosen alarms, else of all that are listed."""
        return [row.alarm.alarm_id for row in self.table.selected_rows() or self.table.rows()]


class Lists(QTabWidget):
    """Every list of the figures, its length in its title.

    Attributes:
        tabs: all of them, in order.
    """

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self.top = _alarm_tab(place, _top_words(), _top_columns())
        self.chattering: NuisanceTab[Chattering] = NuisanceTab(place, _chattering_words(), _chattering_columns())
        self.fleeting: NuisanceTab[Fleeting] = NuisanceTab(place, _fleeting_words(), _fleeting_columns())
        self.stale = _alarm_tab(place, _stale_words(), _standing_columns())
        self.standing = _alarm_tab(place, _standing_words(), _standing_columns())
        self.priorities: ListTab[PriorityFigures] = ListTab(
            place, _priority_words(), _priority_columns(), lambda row: str(row.priority)
        )
        self.floods: ListTab[FloodSpan] = ListTab(
            place, _flood_words(), _flood_columns(place), lambda row: str(row.start_us)
        )
        self.pairs: ListTab[PairRow] = ListTab(
            place, _pair_words(), _pair_columns(), lambda row: f"{row.first.number} {row.then.number}"
        )
        self.tabs: tuple[ListTab[Any], ...] = (
            self.top, self.chattering, self.fleeting, self.stale, self.standing, self.priorities, self.floods,
            self.pairs,
        )  # fmt: skip
        for tab in self.tabs:
            self.addTab(tab, tab.words.title)

    def show_figures(self, found: http.AlarmPerformance) -> None:
        """Show all lists."""
        figures = found.figures
        self.top.show_rows(listed(found, figures.top, lambda one: one.alarm))
        self.chattering.show_rows(listed(found, figures.chattering, lambda one: one.alarm))
        self.fleeting.show_rows(listed(found, figures.fleeting, lambda one: one.alarm))
        self.stale.show_rows(listed(found, figures.stale, lambda one: one.alarm))
        self.standing.show_rows(listed(found, figures.standing, lambda one: one.alarm))
        self.priorities.show_rows(figures.priorities if figures.rates.annunciations else [])
        self.floods.show_rows(figures.rates.floods)
        self.pairs.show_rows(pair_rows(found))
        for tab in (self.chattering, self.fleeting, self.stale, self.standing, self.floods, self.pairs):
            count = tab.table.model.total
            title = f"{tab.words.title} ({count})" if count else tab.words.title
            self.setTabText(self.indexOf(tab), title)


def _alarm_tab(place: Workplace, words: ListWords, columns: Sequence[ColumnSpec[Listed[Of]]]) -> ListTab[Listed[Of]]:
    return ListTab(place, words, [*_alarm_columns(), *columns], _alarm_key)


def _alarm_columns() -> list[ColumnSpec[Listed[Any]]]:
    return [
        ColumnSpec("alarm", say("Alarm"), lambda row: row.alarm.rule_name, width=200, is_elastic=True),
        ColumnSpec("device", say("Device"), lambda row: row.alarm.device_name, width=150, is_elastic=True),
        ColumnSpec("area", say("Area"), lambda row: row.alarm.area, width=120),
        ColumnSpec("priority", say("Priority"), lambda row: int(row.alarm.priority),
                   lambda row: priority_name(row.alarm.priority), width=90),
    ]  # fmt: skip


def _alarm_key(row: Listed[Any]) -> str:
    return row.alarm.alarm_id


def _top_words() -> ListWords:
    return ListWords(
        "top",
        say("Most frequent"),
        say("No alarm was announced in this time"),
        say("The ten alarms that come most often, and their share of the load, are listed here."),
    )


def _chattering_words() -> ListWords:
    return ListWords(
        "chattering",
        say("Chattering"),
        say("No alarm chattered"),
        say("None came again and again within a short time."),
    )


def _fleeting_words() -> ListWords:
    return ListWords(
        "fleeting",
        say("Fleeting"),
        say("No alarm was fleeting"),
        say("None was over before anybody could act."),
    )


def _stale_words() -> ListWords:
    return ListWords("stale", say("Stale"), say("No alarm was stale"), say("None stood for too long without a break."))


def _standing_words() -> ListWords:
    return ListWords(
        "standing",
        say("Standing"),
        say("No alarm stood at the end"),
        say("Those that are active at the end of the time, of any age, are listed here."),
    )


def _priority_words() -> ListWords:
    return ListWords(
        "priorities",
        say("Priorities and answers"),
        say("No alarm was announced in this time"),
        say("How alarms are spread over the priorities, and how soon they are answered, is listed here."),
    )


def _flood_words() -> ListWords:
    return ListWords(
        "floods",
        say("Floods"),
        say("There was no flood"),
        say("None of the ten-minute intervals had more alarms than a person can handle."),
    )


def _pair_words() -> ListWords:
    return ListWords(
        "pairs",
        say("Followers"),
        say("No alarm follows another reliably"),
        say("An alarm that comes soon after another nearly always tells nothing new."),
    )


def _top_columns() -> list[ColumnSpec[Listed[Frequent]]]:
    return [
        ColumnSpec("count", say("Alarms"), lambda row: row.of.annunciations, is_number=True, width=90),
        ColumnSpec("share", say("Share"), lambda row: row.of.share, lambda row: percent(row.of.share, 1),
                   is_number=True, width=90),
    ]  # fmt: skip


def _chattering_columns() -> list[ColumnSpec[Listed[Chattering]]]:
    return [
        ColumnSpec("count", say("Alarms"), lambda row: row.of.annunciations, is_number=True, width=90),
        ColumnSpec("most", say("Most in quick succession"), lambda row: row.of.most, is_number=True, width=175),
        ColumnSpec("index", say("Chatter index"), lambda row: row.of.index, lambda row: number(row.of.index, 3),
                   is_number=True, width=110,
                   tooltip=lambda _: say("Alarms per second, by how soon each follows the one before")),
    ]  # fmt: skip


def _fleeting_columns() -> list[ColumnSpec[Listed[Fleeting]]]:
    return [
        ColumnSpec("count", say("Alarms"), lambda row: row.of.annunciations, is_number=True, width=90),
        ColumnSpec("times", say("Of these fleeting"), lambda row: row.of.times, is_number=True, width=130),
        ColumnSpec("median", say("Lasted (median)"), lambda row: row.of.median_s,
                   lambda row: seconds(row.of.median_s), width=120),
    ]  # fmt: skip


def _standing_columns() -> list[ColumnSpec[Listed[Standing]]]:
    return [
        ColumnSpec("lasted", say("Stood for"), lambda row: row.of.active_s, lambda row: seconds(row.of.active_s),
                   width=110),
        ColumnSpec("active", say("At the end"), lambda row: row.of.is_active,
                   lambda row: say("standing") if row.of.is_active else say("over"), width=100),
        ColumnSpec("quiet", say("Put aside"), lambda row: row.of.was_quiet,
                   lambda row: say("yes") if row.of.was_quiet else say("no"), width=90),
    ]  # fmt: skip


def _priority_columns() -> list[ColumnSpec[PriorityFigures]]:
    return [
        ColumnSpec("priority", say("Priority"), lambda row: row.priority,
                   lambda row: priority_name(Priority(row.priority)), width=100),
        ColumnSpec("count", say("Alarms"), lambda row: row.annunciations, is_number=True, width=80),
        ColumnSpec("share", say("Share"), lambda row: row.share, lambda row: percent(row.share, 1), is_number=True,
                   width=80),
        ColumnSpec("target", say("Target"), lambda row: row.target_share, _about, width=90),
        ColumnSpec("answered", say("Acknowledged after"), lambda row: row.acknowledge_median_s,
                   lambda row: seconds(row.acknowledge_median_s), width=140,
                   tooltip=lambda row: say("{count} were acknowledged", count=row.acknowledged)),
        ColumnSpec("answered_late", say("95 % within"), lambda row: row.acknowledge_p95_s,
                   lambda row: seconds(row.acknowledge_p95_s), width=120),
        ColumnSpec("returned", say("Returned after"), lambda row: row.return_median_s,
                   lambda row: seconds(row.return_median_s), width=120,
                   tooltip=lambda row: say("{count} returned to normal", count=row.returned)),
        ColumnSpec("returned_late", say("95 % within"), lambda row: row.return_p95_s,
                   lambda row: seconds(row.return_p95_s), width=120),
        ColumnSpec("early", say("Returned before anybody answered"), lambda row: row.returned_unanswered,
                   lambda row: percent(row.returned_unanswered), is_number=True, width=220),
    ]  # fmt: skip


def _about(row: PriorityFigures) -> str:
    return say("about {share}", share=percent(row.target_share))


def _flood_columns(place: Workplace) -> list[ColumnSpec[FloodSpan]]:
    zone = place.look.zone
    return [
        ColumnSpec("from", say("From"), lambda row: row.start_us, lambda row: moment(from_us(row.start_us), zone),
                   width=170),
        ColumnSpec("to", say("To"), lambda row: row.end_us, lambda row: moment(from_us(row.end_us), zone), width=170),
        ColumnSpec("count", say("Alarms"), lambda row: row.annunciations, is_number=True, width=90),
        ColumnSpec("peak", say("Most in 10 min"), lambda row: row.peak, is_number=True, width=130, is_elastic=True),
    ]  # fmt: skip


def _pair_columns() -> list[ColumnSpec[PairRow]]:
    return [
        ColumnSpec("first", say("Alarm"), lambda row: _named(row.first), width=240, is_elastic=True),
        ColumnSpec("then", say("Is followed by"), lambda row: _named(row.then), width=240, is_elastic=True),
        ColumnSpec("support", say("Times"), lambda row: row.support, is_number=True, width=80),
        ColumnSpec("confidence", say("How reliably"), lambda row: row.confidence, lambda row: percent(row.confidence),
                   is_number=True, width=110),
    ]  # fmt: skip


def _named(alarm: http.NumberedAlarm) -> str:
    return f"{alarm.rule_name} \N{MIDDLE DOT} {alarm.device_name}"
