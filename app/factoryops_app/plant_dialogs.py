"""Editing what people call a device or a parameter, and its limits."""

from __future__ import annotations

from collections.abc import Coroutine

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError, InvalidInputError
from factoryops_app.dialog_tasks import DialogTasks
from factoryops_app.models.plant import Measured, finer_rules, mistaken_rules
from factoryops_app.models.typed import number_fault, parsed, plain
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.form import Form

_RANGE = ("low", "high", "normal_low", "normal_high")
_FIGURES = (*_RANGE, "deadband")


class PlantDialog(QDialog):
    """A form with Save and Cancel; the dialog closes when the service has taken the change.

    Args:
        deed: what the first button says in place of "Save".
    """

    def __init__(self, place: Workplace, parent: QWidget, title: str, deed: str = "") -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.place = place
        self._tasks = DialogTasks(place.tasks, self._on_error)
        self.form = Form(place.look)
        self._problem = plain_label(role="error", is_wrapped=True)
        standard = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(standard.Save | standard.Cancel)
        self._buttons.button(standard.Save).setText(deed or say("Save"))
        self._buttons.button(standard.Cancel).setText(say("Cancel"))
        self._buttons.accepted.connect(self.save)
        self._buttons.rejected.connect(self.reject)
        self.column = QVBoxLayout(self)
        self.column.addWidget(self.form)
        self.column.addWidget(self._problem)
        self.column.addWidget(self._buttons)
        self.column.addStrut(place.look.px(440))

    def save(self) -> None:
        """Check, send, close."""
        raise NotImplementedError

    def send(self, work: Coroutine[object, object, object]) -> None:
        """Send a change; close when it is taken, show why when it is not."""
        self._buttons.setEnabled(False)
        self._tasks.start(self._finish(work))

    async def _finish(self, work: Coroutine[object, object, object]) -> None:
        await work
        await self.place.session.refresh()
        self.accept()

    def done(self, result: int) -> None:
        """Whoever closes it before the answer sees in the lists what came of it."""
        self._tasks.end()
        super().done(result)

    def _on_error(self, error: FactoryOpsError) -> None:
        self._buttons.setEnabled(True)
        if isinstance(error, InvalidInputError) and error.fields:
            self.form.set_errors(error.fields)
        self._problem.setText(str(error))


class DeviceDialog(PlantDialog):
    """Name, kind, area and line of a device."""

    def __init__(self, place: Workplace, parent: QWidget, device: http.Device) -> None:
        super().__init__(place, parent, say("Edit device"))
        self._device = device
        titles = {"name": say("Name"), "kind": say("Kind"), "area": say("Area"), "line": say("Line")}
        self._fields = {key: QLineEdit(getattr(device, key)) for key in titles}
        for key, title in titles.items():
            self._fields[key].setMaxLength(50 if key == "kind" else 100)
            self.form.add_row(key, title, self._fields[key])

    def save(self) -> None:
        """Send what was changed."""
        texts = {key: field.text().strip() for key, field in self._fields.items()}
        if not texts["name"]:
            self.form.set_errors({"name": say("Give the device a name.")})
            return
        changed = {key: text for key, text in texts.items() if text != getattr(self._device, key)}
        self.send(self.place.session.client.change_device(self._device.id, http.DeviceChange.model_validate(changed)))


class ParameterDialog(PlantDialog):
    """Name, unit, decimals, range, normal band and deadband of a parameter."""

    def __init__(self, place: Workplace, parent: QWidget, parameter: http.Parameter) -> None:
        super().__init__(place, parent, say("Edit parameter"))
        self._parameter = parameter
        self._name, self._unit = QLineEdit(parameter.name), QLineEdit(parameter.unit)
        self._name.setMaxLength(100)
        self._unit.setMaxLength(50)
        self._decimals = QSpinBox()
        self._decimals.setRange(0, 9)
        self._decimals.setValue(parameter.decimals)
        self._figures = {key: QLineEdit(_typed(getattr(parameter, key))) for key in _FIGURES}
        self.form.add_row("name", say("Name"), self._name)
        self.form.add_row("unit", say("Unit"), self._unit)
        self.form.add_row("decimals", say("Decimals"), self._decimals)
        titles = (say("Range from"), say("Range to"), say("Normal from"), say("Normal to"))
        for key, title in zip(_RANGE, titles, strict=True):
            self.form.add_row(key, title, self._figures[key], unit=parameter.unit)
        self._silence = QSpinBox()
        self._silence.setRange(1, 86_400)
        self._silence.setValue(round(parameter.deadband_max_s))
        self._figures["deadband"].setPlaceholderText(say("Empty keeps every sample"))
        self._figures["deadband"].setToolTip(
            say("Samples that differ from the last kept one by no more are not stored, and alarms do not see them.")
        )
        self.form.add_row("deadband", say("Deadband"), self._figures["deadband"], unit=parameter.unit)
        self.form.add_row("deadband_max_s", say("Keep at least every"), self._silence, unit="s")
        self._finer = plain_label(role="secondary", is_wrapped=True)
        self.column.insertWidget(1, self._finer)
        self._figures["deadband"].textChanged.connect(self._show_finer_rules)
        self._show_finer_rules()

    @property
    def warning(self) -> str:
        """Which rules compare more finely than samples would be kept, or would take what is held back for silence."""
        return self._finer.text()

    def _show_finer_rules(self) -> None:
        plant = self.place.session.plant
        device = plant.device(self._parameter.device_id)
        measured = Measured(device, self._parameter) if device is not None else None
        rules = plant.rules_on(measured) if measured is not None else []
        deadband = parsed(self._figures["deadband"].text())
        names = finer_rules(rules, deadband)
        words = [say("These rules compare more finely than samples are kept: {names}.", names=", ".join(names))]
        found = words if names else []
        silent = mistaken_rules(rules, measured, deadband) if measured is not None else []
        if silent:
            found.append(say("These rules would take what is held back for missing data: {names}.",
                             names=", ".join(silent)))  # fmt: skip
        self._finer.setText(" ".join(found))

    def save(self) -> None:
        """Send what was changed, when all figures can be read and lie in order."""
        figures = {key: parsed(field.text()) for key, field in self._figures.items()}
        faults = self._faults(figures)
        self.form.set_errors(faults)
        if faults:
            return
        wanted: dict[str, object] = {
            "name": self._name.text().strip(),
            "unit": self._unit.text().strip(),
            "decimals": self._decimals.value(),
            "deadband_max_s": self._silence.value(),
            **figures,
        }
        changed = {key: value for key, value in wanted.items() if value != getattr(self._parameter, key)}
        change = http.ParameterChange.model_validate(changed)
        self.send(self.place.session.client.change_parameter(self._parameter.id, change))

    def _faults(self, figures: dict[str, float | None]) -> dict[str, str]:
        faults = {
            key: number_fault(field.text(), say("Enter a number, or leave it empty."))
            for key, field in self._figures.items()
            if field.text().strip() and figures[key] is None
        }
        if not self._name.text().strip():
            faults["name"] = say("Give the parameter a name.")
        deadband = figures["deadband"]
        if deadband is not None and deadband < 0:
            faults["deadband"] = say("The deadband must be zero or more.")
        for low, high in (("low", "high"), ("normal_low", "normal_high")):
            begin, end = figures[low], figures[high]
            if begin is not None and end is not None and begin >= end:
                faults[high] = say("The upper end must lie above the lower one.")
        return faults


def _typed(value: float | None) -> str:
    return "" if value is None else plain(value)
