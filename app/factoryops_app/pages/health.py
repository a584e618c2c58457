"""Which promises hold: both ledgers as balances, and the parts of the service."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QSplitter, QVBoxLayout

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError, UnavailableError
from factoryops.domain.time import from_us, now_us
from factoryops_app.balance_view import BalanceView
from factoryops_app.models.health import (
    balances,
    beat_age_s,
    figures_text,
    journal_sentence,
    problem_lines,
    promises,
    refused_sentence,
)
from factoryops_app.models.wording import status_sentence
from factoryops_app.page import Page, plain_label
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, age, number

_EVERY_MS: Final = 2_000


class HealthPage(Page):
    """Promises in sentences, balances, roles."""

    key = PageKey.HEALTH

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Health"))
        self._summary = plain_label(role="section", is_wrapped=True)
        self._problems = plain_label(is_wrapped=True)
        self._promises = plain_label(is_wrapped=True)
        self._refused = plain_label(role="secondary", is_wrapped=True)
        self._balances = QVBoxLayout()
        self._views: dict[str, BalanceView] = {}
        self.roles: DataTable[http.RoleHealth] = DataTable(
            place.look, self._role_columns(), name="roles", settings=place.settings, row_key=lambda role: role.role,
            has_filter=False,
        )  # fmt: skip
        self._to_quarantine = QPushButton(say("Show what was refused"))
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.load)
        self._is_asking = False
        self._build()
        self.states.show_loading(say("Asking the service how it is …"))

    def _role_columns(self) -> list[ColumnSpec[http.RoleHealth]]:
        return [
            ColumnSpec("role", say("Part"), lambda role: role.role, width=110),
            ColumnSpec("alive", say("State"), _life_text, width=90),
            ColumnSpec("beat", say("Last sign of life"), lambda role: role.beat_at, _beat_text, width=150),
            ColumnSpec("figures", say("Figures"), lambda role: figures_text(role.figures, 20) or NOTHING, width=400,
                       is_elastic=True),
        ]  # fmt: skip

    def _build(self) -> None:
        px = self.place.look.px
        panel = QFrame()
        panel.setProperty("role", "panel")
        column = QVBoxLayout(panel)
        column.setContentsMargins(px(16), px(12), px(16), px(16))
        column.setSpacing(px(8))
        for widget in (self._summary, self._problems, self._promises):
            column.addWidget(widget)
        column.addLayout(self._balances)
        column.addWidget(self._refused)
        column.addWidget(self._to_quarantine, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(panel)
        self._to_quarantine.clicked.connect(
            lambda: self.place.navigator.go(PageKey.SOURCES, Target(ids=("quarantine",)))
        )
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(scroll)
        splitter.addWidget(self.roles)
        splitter.setSizes([px(420), px(330)])
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def enter(self, target: Target) -> None:
        """Ask at once, then every two seconds."""
        super().enter(target)
        self._timer.start()
        self.load()

    def leave(self) -> None:
        """Stop asking."""
        super().leave()
        self._timer.stop()

    def load(self) -> None:
        """Ask the service how it is."""
        if not self._is_asking:
            self._is_asking = True
            self.place.tasks.start(self._fetch(), self._on_failure)

    async def _fetch(self) -> None:
        try:
            self._show(await self.place.session.client.health())
        finally:
            self._is_asking = False

    def _on_failure(self, error: FactoryOpsError) -> None:
        if isinstance(error, UnavailableError) and self._summary.text():
            self.states.set_stale(say("The service cannot be asked; this is how it was when it last answered."))
        else:
            self.show_failure(error)

    def _show(self, health: http.Health) -> None:
        self._summary.setText(status_sentence(health.status))
        self._problems.setText("\n".join(problem_lines(health.problems)))
        self._problems.setVisible(bool(health.problems))
        kept = promises(health)
        self._promises.setText("\n".join(f"{'✓' if one.is_kept else '✗'} {one.sentence}" for one in kept))
        for balance in balances(health):
            view = self._views.get(balance.title)
            if view is None:
                view = self._views[balance.title] = BalanceView(self.place.look)
                self._balances.addWidget(view)
            view.show_balance(balance)
        values = health.values
        late = (
            say("{count} values came late and never alarm.", count=number(values.late, 0)) if values is not None else ""
        )
        told = (refused_sentence(values) if values else "", late, journal_sentence(health))
        self._refused.setText(" ".join(part for part in told if part))
        self.roles.set_rows(health.roles)
        self.set_title(say("Health"), say("version {version}", version=health.version))
        self.states.set_stale(None)
        self.states.show_content()


def _beat_text(role: http.RoleHealth) -> str:
    seconds = beat_age_s(role, from_us(now_us()))
    return say("never") if seconds is None else say("{age} ago", age=age(seconds))


def _life_text(role: http.RoleHealth) -> str:
    return say("at work") if role.is_alive else say("silent")
