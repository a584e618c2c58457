"""What a comparison looks at: a parameter of this or another device, a number, or an expression."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from factoryops_app.models.calculation_draft import completions
from factoryops_app.models.condition_draft import OperandDraft, OperandKind
from factoryops_app.rule_editor.choices import ChoiceBox, DeviceBox, ParameterBox
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.expression_edit import ExpressionEdit


class OperandField(QWidget):
    """Fills and reads an OperandDraft.

    Attributes:
        edited: a person changed it.
    """

    edited = Signal()

    def __init__(
        self, place: Workplace, kinds: tuple[OperandKind, ...], nothing: str = "", name: str = ""
    ) -> None:  # fmt: skip
        super().__init__()
        self._place = place
        names = {
            OperandKind.PARAMETER: say("Parameter"),
            OperandKind.CONSTANT: say("Number"),
            OperandKind.EXPRESSION: say("Expression"),
        }
        self.kind = ChoiceBox({kind.value: names[kind] for kind in kinds})
        self.kind.setMinimumContentsLength(9)
        self.kind.setVisible(len(kinds) > 1)
        plant = place.session.plant
        self.device, self.parameter = DeviceBox(plant), ParameterBox(plant, nothing)
        self.number, self.expression = QLineEdit(), ExpressionEdit(place.look)
        for widget, words in (
            (self.kind, say("What is looked at")), (self.device, say("Device")), (self.parameter, name),
            (self.number, name), (self.expression, name),
        ):  # fmt: skip
            widget.setAccessibleName(words)
        self._stack = QStackedWidget()
        self._build()
        self._connect()
        self.setFocusProxy(self.kind if len(kinds) > 1 else self.parameter)

    def _build(self) -> None:
        pair = QWidget()
        both = QVBoxLayout(pair)
        both.setContentsMargins(0, 0, 0, 0)
        both.setSpacing(self._place.look.px(4))
        both.addWidget(self.parameter)
        both.addWidget(self.device)
        lone = QWidget()
        above = QVBoxLayout(lone)
        above.setContentsMargins(0, 0, 0, 0)
        above.addWidget(self.number)
        above.addStretch(1)
        self._pages = (pair, lone, self.expression)
        for page in self._pages:
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self._place.look.px(4))
        column.addWidget(self.kind)
        column.addWidget(self._stack)
        self._show_page()

    def _connect(self) -> None:
        self.kind.activated.connect(self._on_kind)
        self.device.activated.connect(self._on_device)
        self.parameter.activated.connect(lambda _: self.edited.emit())
        self.number.textEdited.connect(lambda _: self.edited.emit())
        self.expression.textChanged.connect(self._on_expression)

    def fill(self, operand: OperandDraft) -> None:
        """Show an operand."""
        blocker = QSignalBlocker(self.expression)
        self.kind.choose(operand.kind.value)
        self.device.refresh()
        self.device.choose(operand.device)
        self.parameter.show_device(operand.device)
        is_parameter = operand.kind is OperandKind.PARAMETER
        self.parameter.choose(operand.text if is_parameter else "")
        self.number.setText(operand.text if operand.kind is OperandKind.CONSTANT else "")
        self.expression.setPlainText(operand.text if operand.kind is OperandKind.EXPRESSION else "")
        self.expression.set_words(completions(self._place.session.plant.parameters, ""))
        blocker.unblock()
        self._show_page()

    def operand(self) -> OperandDraft:
        """What is filled in."""
        kind = OperandKind(self.kind.value)
        match kind:
            case OperandKind.PARAMETER:
                return OperandDraft(kind, self.parameter.value, self.device.value)
            case OperandKind.CONSTANT:
                return OperandDraft(kind, self.number.text())
            case OperandKind.EXPRESSION:
                return OperandDraft(kind, self.expression.toPlainText())

    def _on_kind(self, _index: int) -> None:
        self._show_page()
        self.edited.emit()

    def _on_device(self, _index: int) -> None:
        self.parameter.show_device(self.device.value)
        self.edited.emit()

    def _on_expression(self) -> None:
        self.edited.emit()

    def _show_page(self) -> None:
        """The stack is only as high as what it shows."""
        at = list(OperandKind).index(OperandKind(self.kind.value))
        self._stack.setCurrentIndex(at)
        self._stack.setFixedHeight(self._pages[at].sizeHint().height())
