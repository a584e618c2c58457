"""A ledger drawn as a balance: the whole on the left, what it is made of on the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from factoryops_app.models.health import Balance, Term
from factoryops_app.page import plain_label
from factoryops_resources.words import say
from factoryops_widgets.appearance import LABEL_PT, Appearance
from factoryops_widgets.formatting import number

_FIGURE_PT = 20.0


class BalanceView(QWidget):
    """received 1,234 = accepted 1,231 + quarantined 3."""

    def __init__(self, look: Appearance) -> None:
        super().__init__()
        self._look = look
        self._labels: list[tuple[QLabel, QLabel]] = []
        self._title = plain_label(role="label")
        self._verdict = plain_label(role="secondary")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(look.px(12))
        self._grid.setVerticalSpacing(0)
        self._title.setMinimumWidth(look.px(80))
        self._grid.addWidget(self._title, 0, 0)

    def show_balance(self, balance: Balance) -> None:
        """Show the figures as they are now."""
        self._title.setText(balance.title)
        terms = (balance.whole, *balance.parts)
        while len(self._labels) < len(terms):
            self._add_term(len(self._labels))
        for (figure, name), term in zip(self._labels, terms, strict=True):
            self._show_term(figure, name, term)
        off = balance.difference
        self._verdict.setText(say("balanced") if off == 0 else say("off by {count}", count=number(off, 0)))
        column = 2 * len(terms) + 1
        self._grid.addWidget(self._verdict, 0, column)
        self._grid.setColumnStretch(column + 1, 1)

    def _add_term(self, place: int) -> None:
        if place > 0:
            sign = plain_label("=" if place == 1 else "+", role="secondary")
            sign.setFont(self._look.font(_FIGURE_PT))
            self._grid.addWidget(sign, 0, 2 * place)
        figure, name = plain_label(role="live"), plain_label(role="label")
        figure.setFont(self._look.font(_FIGURE_PT))
        name.setFont(self._look.font(LABEL_PT))
        for row, label in enumerate((figure, name)):
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(label, row, 2 * place + 1)
        self._labels.append((figure, name))

    def _show_term(self, figure: QLabel, name: QLabel, term: Term) -> None:
        figure.setText(number(term.value, 0))
        name.setText(term.name)
