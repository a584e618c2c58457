"""A short form for one of the conditions most rules are made of."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from factoryops_app.models.rule_templates import FIELDS, Template, TemplateDraft, template_hints
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.schedule_field import ScheduleField
from factoryops_app.rule_editor.typed_fields import TypedFields
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.form import Form


class TemplateForm(QWidget):
    """Fills and reads a TemplateDraft.

    Attributes:
        edited: a person changed a field.
    """

    edited = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._base = TemplateDraft()
        self._pages: dict[Template, _TemplatePage] = {}
        self._shifts: Mapping[str, str] = {}
        self._stack = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    def fill(self, draft: TemplateDraft) -> None:
        """Show a form."""
        self._base = draft
        page = self._page()
        page.fill(draft, self._shifts)
        for other in self._pages.values():
            other.setVisible(other is page)
        self._stack.setCurrentWidget(page)
        self.show_errors({})

    def draft(self) -> TemplateDraft:
        """What is filled in."""
        return self._page().read(self._base)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault beside its field."""
        self._page().show_errors(errors)

    def offer_shifts(self, shifts: Mapping[str, str]) -> None:
        """Which shifts can be chosen, by id."""
        self._shifts = shifts
        for page in self._pages.values():
            if page.hours is not None:
                page.hours.offer_shifts(shifts)

    def widget(self, key: str) -> QWidget:
        """A field of the form that is shown."""
        return self._page().fields.widget(key)

    def _page(self) -> _TemplatePage:
        template = self._base.template
        page = self._pages.get(template)
        if page is None:
            page = self._pages[template] = _TemplatePage(self._place, template)
            page.edited.connect(self.edited)
            self._stack.addWidget(page)
        return page


class _TemplatePage(QWidget):
    """The fields of one template."""

    edited = Signal()

    def __init__(self, place: Workplace, template: Template) -> None:
        super().__init__()
        self.form = Form(place.look)
        self.fields = TypedFields(self.form, place.session.plant, self.edited.emit)
        self.fields.add(FIELDS[template])
        self.hours: ScheduleField | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(place.look.px(8))
        column.addWidget(plain_label(template_hints()[template], role="secondary", is_wrapped=True))
        column.addWidget(self.form)
        if template is Template.OUTSIDE_HOURS:
            column.addWidget(plain_label(say("It may run during"), role="secondary"))
            self.hours = ScheduleField(place, most_visible=3)
            self.hours.edited.connect(self.edited)
            column.addWidget(self.hours)
        column.addStretch(1)

    def fill(self, draft: TemplateDraft, shifts: Mapping[str, str]) -> None:
        """Show a form."""
        self.fields.fill(draft.texts)
        if self.hours is not None:
            self.hours.fill(draft.hours, shifts)

    def read(self, base: TemplateDraft) -> TemplateDraft:
        """What is filled in."""
        hours = self.hours.draft() if self.hours is not None else base.hours
        return base.with_(texts=self.fields.texts(), hours=hours)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault beside its field."""
        self.form.mark(errors)
        if self.hours is not None:
            prefix = "hours."
            self.hours.show_errors(
                {key.removeprefix(prefix): text for key, text in errors.items() if key.startswith(prefix)}
            )
