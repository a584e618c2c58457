"""For which devices a rule is evaluated."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from factoryops_app.models.plant import device_title
from factoryops_app.models.rule_draft import ScopeDraft
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.checked_list import CheckedList
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say


class ScopeTab(QWidget):
    """Fills and reads a ScopeDraft.

    Attributes:
        edited: a person changed it.
    """

    edited = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self.everywhere = QRadioButton(say("Every device that has what the condition looks at, future ones too"))
        self.some = QRadioButton(say("Only these devices, kinds and areas"))
        group = QButtonGroup(self)
        for button in (self.everywhere, self.some):
            group.addButton(button)
        self.devices = CheckedList(say("Devices"), say("No device has sent anything yet."))
        self.kinds = CheckedList(say("Kinds, future devices too"), say("No device has a kind yet."))
        self.areas = CheckedList(say("Areas, future devices too"), say("No device has an area yet."))
        self._fault = plain_label(role="error", is_wrapped=True)
        self._build()
        group.buttonClicked.connect(self._on_edited)
        for one in (self.devices, self.kinds, self.areas):
            one.edited.connect(self.edited)

    def _build(self) -> None:
        px = self._place.look.px
        lists = QHBoxLayout()
        lists.setSpacing(px(16))
        for one, share in ((self.devices, 2), (self.kinds, 1), (self.areas, 1)):
            lists.addWidget(one, share)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(2), px(8), px(2), px(2))
        column.setSpacing(px(8))
        column.addWidget(self.everywhere)
        column.addWidget(self.some)
        column.addWidget(self._fault)
        column.addLayout(lists, 1)
        self._fault.hide()

    def fill(self, draft: ScopeDraft) -> None:
        """Show a scope."""
        devices = self._place.session.plant.devices
        (self.everywhere if draft.is_everywhere else self.some).setChecked(True)
        self.devices.fill({one.key: device_title(one) for one in devices}, draft.devices)
        self.kinds.fill({kind: kind for kind in sorted({one.kind for one in devices} - {""})}, draft.kinds)
        self.areas.fill({area: area for area in sorted({one.area for one in devices} - {""})}, draft.areas)
        self._show_lists()
        self.show_errors("")

    def draft(self) -> ScopeDraft:
        """What is filled in."""
        return ScopeDraft(self.everywhere.isChecked(), self.devices.chosen(), self.kinds.chosen(), self.areas.chosen())

    def show_errors(self, fault: str) -> None:
        """Show why it cannot be used; "" when it can."""
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))

    def _on_edited(self) -> None:
        self._show_lists()
        self.edited.emit()

    def _show_lists(self) -> None:
        for one in (self.devices, self.kinds, self.areas):
            one.setEnabled(self.some.isChecked())
