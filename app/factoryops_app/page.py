"""What every page of the main window is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from factoryops.domain.errors import FactoryOpsError, NotAllowedError
from factoryops_app.models.events import Event, Unsubscribe
from factoryops_app.workplace import AlarmDeed, PageKey, Target, Workplace
from factoryops_widgets.state_view import StateView

_Listener = Callable[[object], object]


class Page(QWidget):
    """A page: a title line with its actions, and below it content that can be loading, empty or in error.

    A page listens and paints only between `enter` and `leave`.
    """

    key: PageKey

    def __init__(self, place: Workplace, title: str) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.place = place
        self._ends: list[Unsubscribe] = []
        self._title = QLabel(title)
        self._title.setProperty("role", "title")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._subtitle = QLabel()
        self._subtitle.setProperty("role", "secondary")
        self._subtitle.setTextFormat(Qt.TextFormat.PlainText)
        self.body = QWidget()
        self.states = StateView(place.look, self.body)
        self.states.retry_requested.connect(self.load)
        px = place.look.px
        self.header = QHBoxLayout()
        self.header.setSpacing(px(8))
        self.header.addWidget(self._title)
        self.header.addWidget(self._subtitle)
        self.header.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.setSpacing(px(12))
        column.addLayout(self.header)
        column.addWidget(self.states, 1)

    def set_title(self, title: str, subtitle: str = "") -> None:
        """Change the title line; text of devices is shown as it is."""
        self._title.setText(title)
        self._subtitle.setText(subtitle)

    @property
    def title(self) -> str:
        """What the title line says."""
        return self._title.text()

    @property
    def is_loaded(self) -> bool:
        """Whether the content, or a sentence in its place, can be seen."""
        return self.states.is_content_shown or bool(self.states.message)

    def enter(self, target: Target) -> None:
        """The page is shown; `target` says what to show."""

    def leave(self) -> None:
        """The page is hidden."""
        for end in self._ends:
            end()
        self._ends.clear()

    def load(self) -> None:
        """Fetch again what the page shows."""

    def acknowledge_selection(self) -> None:
        """Acknowledge what is chosen on this page, where alarms are listed."""

    def do_with_alarms(self, deed: AlarmDeed) -> None:
        """Do something with what is chosen on this page, where alarms are listed."""

    def listen(self, event: Event[object] | Event[None], act: Callable[[], object]) -> None:
        """Call `act` at each of these events until the page is left."""
        self._ends.append(event.subscribe(lambda _: act()))

    def until_left(self, end: Unsubscribe) -> None:
        """Call `end` when the page is left."""
        self._ends.append(end)

    def show_failure(self, error: FactoryOpsError) -> None:
        """Show an error instead of the content."""
        if isinstance(error, NotAllowedError):
            self.states.show_no_permission(str(error))
        else:
            self.states.show_error(str(error))

    def mention(self, error: FactoryOpsError) -> None:
        """Say an error in the status line; the content stays."""
        self.place.navigator.say_briefly(str(error))


def plain_label(text: str = "", *, role: str = "", is_wrapped: bool = False) -> QLabel:
    """A label that shows text as it is, never as rich text."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(is_wrapped)
    if role:
        label.setProperty("role", role)
    return label
