"""Targets and thresholds of the alarm figures: from when on a figure is a finding, and what it is compared with."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QPushButton

from factoryops.contracts import http
from factoryops.domain.performance.thresholds import DEFAULT
from factoryops_app.models.thresholds_draft import KINDS, Kind, ThresholdsDraft, typed_of
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.philosophy_part import PartWords, PhilosophyPart
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

_Rows = tuple[tuple[str, str, str], ...]
"""Of each row its key, its label and its unit."""


class ThresholdsForm(FieldsForm[ThresholdsDraft]):
    """What is judged on the left, targets on the right."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, ThresholdsDraft(), shares=(1, 1, 1))
        self.fields = {key: QLineEdit() for key in KINDS}
        usual = typed_of(DEFAULT)
        for form, sections in zip(self.columns, (_loads(), _nuisances(), _targets()), strict=True):
            for title, rows in sections.items():
                form.add_section(title)
                for key, label, unit in rows:
                    form.add_row(key, label, self.fields[key], unit=unit)
                    self.fields[key].setAccessibleName(f"{title}: {label}")
                    self.fields[key].setPlaceholderText(usual[key])
        self.watch(*(one.textEdited for one in self.fields.values()))
        self.fill(ThresholdsDraft())

    def show_fields(self, draft: ThresholdsDraft) -> None:
        """Put a draft into the fields."""
        for key, field in self.fields.items():
            field.setText(draft.typed[key])

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        return {"typed": {key: field.text() for key, field in self.fields.items()}}

    def offer_usual(self) -> None:
        """Fill in what public texts print; it is saved like anything that is typed."""
        for key, text in typed_of(DEFAULT).items():
            self.fields[key].setText(text)
        self._on_edited()

    def focus_first(self) -> None:
        """Begin at the first field."""
        self.fields["busy_interval"].setFocus()


class ThresholdsTab(PhilosophyPart[ThresholdsDraft]):
    """The form with its buttons."""

    def __init__(self, place: Workplace) -> None:
        self.form = ThresholdsForm(place)
        self.usual = QPushButton(say("Usual values"))
        self.usual.setToolTip(say("What public texts about ISA-18.2 and EEMUA 191 print."))
        super().__init__(place, self.form, _words())
        self.buttons.insertWidget(2, self.usual)
        self.usual.clicked.connect(self.form.offer_usual)

    def draft_of(self, held: http.Philosophy) -> ThresholdsDraft:
        """As text."""
        return ThresholdsDraft.of(held)

    def on_editable(self, *, is_editable: bool) -> None:
        """Whether a person may change them now."""
        super().on_editable(is_editable=is_editable)
        self.usual.setEnabled(is_editable)


def _loads() -> dict[str, _Rows]:
    in_interval = say("alarms in 10 min")
    return {
        say("Busy times"): (
            ("busy_interval", say("More than"), in_interval),
            ("busy_hour", say("Or more than"), say("alarms in an hour")),
        ),
        say("Floods"): (
            ("flood_entry", say("Begin with more than"), in_interval),
            ("flood_exit", say("End with fewer than"), in_interval),
        ),
        say("Chattering alarms"): (
            ("chatter_count", say("Raised at least"), say("times")),
            ("chatter_span_s", say("Within"), ""),
            ("chatter_index", say("Or an index from"), "1/s"),
        ),
    }


def _nuisances() -> dict[str, _Rows]:
    return {
        say("Fleeting alarms"): (
            ("fleeting_s", say("Active for less than"), ""),
            ("repeat_s", say("Not again within"), ""),
        ),
        say("Stale alarms"): (("stale_s", say("Active for more than"), ""),),
        say("Alarms that follow another"): (
            ("pair_s", say("Within"), ""),
            ("pair_confidence", say("At least in"), say("% of the cases")),
            ("pair_support", say("And at least"), say("times")),
        ),
    }


def _targets() -> dict[str, _Rows]:
    titles = {
        "rate_per_hour": say("Target: alarms an hour"),
        "share_of_time": say("Target: busy times and floods"),
        "busiest": say("Target: most in 10 min"),
        "top_ten": say("Target: share of the ten most frequent"),
        "stale_at_once": say("Target: stale at once"),
    }
    return {title: _target(name) for name, title in titles.items()}


def _target(name: str) -> _Rows:
    unit = "%" if KINDS[f"{name}_good"] is Kind.PERCENT else ""
    return (f"{name}_good", say("Within it up to"), unit), (f"{name}_most", say("Far beyond it above"), unit)


def _words() -> PartWords:
    return PartWords(
        name=say("Targets of alarm figures"),
        loading=say("Asking what alarm figures are judged by …"),
        look_only=say("Your role may look at targets but not change them; an administrator may."),
    )
