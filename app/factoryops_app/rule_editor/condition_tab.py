"""The condition: a short form, or a tree of parts, beside the last day of what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from factoryops.domain.time import US_PER_S, now_us
from factoryops_app.models.history import Answer, HistoryQueries
from factoryops_app.models.names import Names
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.rule_picture import Watched, watched
from factoryops_app.models.rule_templates import Template, TemplateDraft, template_names
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.rule_editor.condition_editor import ConditionEditor
from factoryops_app.rule_editor.template_form import TemplateForm
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.trend import TrendView
from factoryops_widgets.trend_types import Limit, Pen

_DAY_US: Final = 86_400 * US_PER_S
_TREE: Final = "tree"
_WIDE_PX: Final = 1_000


class ConditionTab(QWidget):
    """Fills and reads template and tree of a RuleDraft.

    Attributes:
        edited: a person changed something.
    """

    edited = Signal()

    def __init__(self, place: Workplace, names: Callable[[], Names]) -> None:
        super().__init__()
        self._place = place
        self._base = RuleDraft()
        titles = {template.value: name for template, name in template_names().items()}
        self.choice = ChoiceBox({**titles, _TREE: say("Condition of several parts")})
        self.choice.setMinimumContentsLength(24)
        self.choice.setAccessibleName(say("Kind of rule"))
        self.make_tree = QPushButton(say("Make it a condition"))
        self.make_tree.setToolTip(say("Show it as parts that can be combined and nested"))
        self.template = TemplateForm(place)
        self.editor = ConditionEditor(place, names)
        self._stack = QStackedWidget()
        self._picture = QWidget()
        self.trend = TrendView(place.look, place.clock)
        self._queries = HistoryQueries(place.session.client, self._on_answer)
        self._drawn: tuple[str, ...] = ()
        self._build()
        self._connect()

    def _build(self) -> None:
        px = self._place.look.px
        short = QScrollArea()
        short.setWidgetResizable(True)
        held = QWidget()
        inner = QVBoxLayout(held)
        inner.setContentsMargins(px(2), px(2), px(12), px(2))
        inner.addWidget(self.template)
        inner.addStretch(1)
        short.setWidget(held)
        self._stack.addWidget(short)
        self._stack.addWidget(self.editor)
        self.trend.setMinimumHeight(px(120))
        column = QVBoxLayout(self._picture)
        column.setContentsMargins(px(8), 0, 0, 0)
        column.addWidget(plain_label(say("The last 24 hours, with the limit"), role="label"))
        column.addWidget(self.trend, 1)
        self._both = QSplitter(Qt.Orientation.Horizontal)
        self._both.setChildrenCollapsible(False)
        self._both.addWidget(self._stack)
        self._both.addWidget(self._picture)
        head = QHBoxLayout()
        head.setSpacing(px(8))
        head.addWidget(self.choice)
        head.addWidget(self.make_tree)
        head.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(2), px(8), px(2), px(2))
        layout.setSpacing(px(8))
        layout.addLayout(head)
        layout.addWidget(self._both, 1)

    def _connect(self) -> None:
        self.choice.activated.connect(self._on_choice)
        self.make_tree.clicked.connect(self.show_as_tree)
        self.template.edited.connect(self._on_edited)
        self.editor.edited.connect(self._on_edited)

    # --- filling and reading -----------------------------------------------------------------------------------------

    def fill(self, draft: RuleDraft) -> None:
        """Show a rule's condition."""
        self._base = draft
        if draft.template is not None:
            self.template.fill(draft.template)
        self.editor.fill(draft.tree)
        self._drawn = ()
        self._show_kind()

    def read(self, draft: RuleDraft) -> RuleDraft:
        """The draft with what is filled in here."""
        if self.is_tree:
            return draft.with_(template=None, tree=self.editor.root())
        return draft.with_(template=self.template.draft(), tree=self._base.tree)

    @property
    def is_tree(self) -> bool:
        """Whether the condition is edited as a tree."""
        return self._base.template is None

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault where it belongs."""
        prefix = "template."
        if self.is_tree:
            if "condition" in errors:
                self.editor.show_errors()
            return
        self.template.show_errors(
            {key.removeprefix(prefix): text for key, text in errors.items() if key.startswith(prefix)}
        )

    def offer_shifts(self, shifts: Mapping[str, str]) -> None:
        """Which shifts can be chosen, by id."""
        self.template.offer_shifts(shifts)
        self.editor.offer_shifts(shifts)

    def focus_first(self) -> None:
        """Begin at the choice of template."""
        self.choice.setFocus()

    # --- reacting ----------------------------------------------------------------------------------------------------

    def show_as_tree(self) -> None:
        """Turn the short form into parts."""
        self._base = self.read(self._base).as_tree()
        self.editor.fill(self._base.tree)
        self._show_kind()
        self.editor.tree.setFocus()
        self._on_edited()

    def choose_template(self, template: Template) -> None:
        """Begin a short form; it keeps what the one before has in common with it."""
        before = self._base.template if self.is_tree else self.template.draft()
        fresh = TemplateDraft.new(template, before)
        self._base = self._base.with_(template=fresh)
        self.template.fill(fresh)
        self._show_kind()
        self._on_edited()

    def _on_choice(self, _index: int) -> None:
        if self.choice.value == _TREE:
            self.show_as_tree()
        else:
            self.choose_template(Template(self.choice.value))

    def _show_kind(self) -> None:
        template = self._base.template
        self.choice.choose(template.template.value if template is not None else _TREE)
        self.make_tree.setVisible(template is not None)
        self._stack.setCurrentIndex(1 if self.is_tree else 0)
        self._show_room()
        px = self._place.look.px
        self._both.setSizes([px(800), px(260)] if self.is_tree else [px(440), px(620)])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The curve makes room for the parts where there is little."""
        super().resizeEvent(event)
        self._show_room()

    def _show_room(self) -> None:
        self._picture.setVisible(not self.is_tree or self.width() >= self._place.look.px(_WIDE_PX))

    def _on_edited(self) -> None:
        self.edited.emit()

    # --- the picture -------------------------------------------------------------------------------------------------

    def show_picture(self, draft: RuleDraft) -> None:
        """Draw what the rule looks at, with its limits."""
        chosen = watched(draft, self._place.session.plant)
        self.trend.set_pens([_pen(place, one, draft) for place, one in enumerate(chosen)])
        ids = tuple(one.measured.parameter.id for one in chosen)
        if ids == self._drawn:
            return
        self._drawn = ids
        self.trend.go_live(_DAY_US)
        if ids:
            end_us = now_us()
            self._place.tasks.start(
                self._queries.ask(list(ids), end_us - _DAY_US, end_us), lambda error: self.trend.set_note(str(error))
            )

    def _on_answer(self, answer: Answer) -> None:
        for piece in answer.pieces:
            if piece.bins is not None:
                self.trend.set_history(piece.parameter_id, piece.bins)


def _pen(place: int, one: Watched, draft: RuleDraft) -> Pen:
    parameter = one.measured.parameter
    limits = tuple(Limit(value, draft.name or say("Limit"), draft.priority) for value in one.limits)
    return Pen(parameter.id, one.measured.device_title, parameter.unit, place, parameter.decimals, parameter.low,
               parameter.high, limits)  # fmt: skip
