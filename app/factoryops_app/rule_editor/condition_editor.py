"""A condition as a tree: groups, what wraps parts, and leaves; everything can be done from the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QSplitter,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from factoryops_app.models.condition_draft import NodeDraft, NodeKind, Path, all_errors, walk
from factoryops_app.models.condition_edits import (
    Edited,
    added,
    changed_kind,
    moved,
    moved_in,
    moved_out,
    part_at,
    removed,
    replaced,
    unwrapped,
    wrapped,
)
from factoryops_app.models.condition_words import kind_name, line_words
from factoryops_app.models.names import Names
from factoryops_app.rule_editor.part_form import PartForm
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

_PATH: Final = int(Qt.ItemDataRole.UserRole)
_WRAPPING: Final = (NodeKind.ALL, NodeKind.ANY, NodeKind.NOT, NodeKind.HELD, NodeKind.COUNT)


class ConditionEditor(QWidget):
    """Fills and reads a NodeDraft with all its parts.

    Attributes:
        edited: a person changed something.
    """

    edited = Signal()

    def __init__(self, place: Workplace, names: Callable[[], Names]) -> None:
        super().__init__()
        self._place = place
        self._names = names
        self._root = NodeDraft.new(NodeKind.COMPARE)
        self._path: Path = ()
        self._shows_errors = False
        self._items: dict[Path, QTreeWidgetItem] = {}
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setHeaderLabels([say("Condition"), say("Still missing")])
        self.tree.setAccessibleName(say("Parts of the condition"))
        self.tree.setUniformRowHeights(True)
        self.tree.setRootIsDecorated(False)
        self.tree.setItemsExpandable(False)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.part_form = PartForm(place)
        self._tools, self._moves = QHBoxLayout(), QHBoxLayout()
        self._build()
        self._connect()
        self.fill(self._root)

    def _build(self) -> None:
        px = self._place.look.px
        self._tools.setSpacing(px(4))
        self.add_menu = self._menu(NodeKind, self.add)
        self.wrap_menu = self._menu(_WRAPPING, self.wrap)
        self._tool(say("Add"), "Ins", lambda: self._popup(self.add_menu))
        self._tool(say("Wrap"), "Ctrl+G", lambda: self._popup(self.wrap_menu))
        self._tool(say("Unwrap"), "Ctrl+U", lambda: self._take(unwrapped(self._root, self._path)))
        self._tool(say("Remove"), "Del", lambda: self._take(removed(self._root, self._path)))
        self._tool("\N{UPWARDS ARROW}", "Alt+Up", lambda: self._take(moved(self._root, self._path, -1)), say("Move up"))
        self._tool(
            "\N{DOWNWARDS ARROW}", "Alt+Down", lambda: self._take(moved(self._root, self._path, 1)), say("Move down")
        )
        self._tool(
            "\N{LEFTWARDS ARROW}", "Alt+Left", lambda: self._take(moved_out(self._root, self._path)),
            say("Move out of its group"),
        )  # fmt: skip
        self._tool(
            "\N{RIGHTWARDS ARROW}", "Alt+Right", lambda: self._take(moved_in(self._root, self._path)),
            say("Move into the group beside it"),
        )  # fmt: skip
        self._moves.setSpacing(px(4))
        for row in (self._tools, self._moves):
            row.addStretch(1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(6))
        column.addLayout(self._tools)
        column.addLayout(self._moves)
        column.addWidget(self.tree, 1)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(left)
        both.addWidget(self.part_form)
        both.setSizes([px(400), px(360)])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(both)

    def _menu(self, kinds: tuple[NodeKind, ...] | type[NodeKind], act: Callable[[NodeKind], None]) -> QMenu:
        menu = QMenu(self)
        for kind in kinds:
            menu.addAction(kind_name(kind)).triggered.connect(lambda _checked=False, chosen=kind: act(chosen))
        return menu

    def _tool(self, text: str, keys: str, act: Callable[[], None], words: str = "") -> None:
        action = QAction(words or text, self.tree)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(act)
        self.tree.addAction(action)
        button = QToolButton()
        button.setText(text)
        button.setToolTip(f"{words or text} ({QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)})")
        button.setAccessibleName(words or text)
        button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + self._place.look.px(18))
        button.clicked.connect(act)
        row = self._moves if words else self._tools
        row.addWidget(button)

    def _connect(self) -> None:
        self.tree.currentItemChanged.connect(self._on_chosen)
        self.tree.itemActivated.connect(lambda *_: self.part_form.focus_fields())
        self.part_form.edited.connect(self._on_part_edited)
        self.part_form.kind_chosen.connect(self._on_kind)

    # --- filling and reading -----------------------------------------------------------------------------------------

    def fill(self, root: NodeDraft) -> None:
        """Show a condition."""
        self._root, self._path, self._shows_errors = root, (), False
        self._show_tree()

    def root(self) -> NodeDraft:
        """What is filled in."""
        return self._root

    def show_errors(self) -> None:
        """From now on mark what is missing."""
        self._shows_errors = True
        self._show_tree()

    def offer_shifts(self, shifts: Mapping[str, str]) -> None:
        """Which shifts can be chosen, by id."""
        self.part_form.offer_shifts(shifts)

    @property
    def path(self) -> Path:
        """The way to the chosen part."""
        return self._path

    def choose(self, path: Path) -> None:
        """Choose a part."""
        self._path = path
        self._show_tree()

    # --- editing -----------------------------------------------------------------------------------------------------

    def add(self, kind: NodeKind) -> None:
        """A new part in, or after, the chosen one."""
        self._take(added(self._root, self._path, kind))

    def wrap(self, kind: NodeKind) -> None:
        """A group or wrapper around the chosen part."""
        self._take(wrapped(self._root, self._path, kind))

    def _on_kind(self, kind: str) -> None:
        self._take(changed_kind(self._root, self._path, NodeKind(kind)))

    def _take(self, edit: Edited | None) -> None:
        if edit is None:
            self._place.navigator.say_briefly(say("That is not possible here."))
            return
        self._root, self._path = edit.root, edit.path
        self._show_tree()
        self.edited.emit()

    def _on_part_edited(self) -> None:
        self._root = replaced(self._root, self._path, self.part_form.part())
        self._show_lines()
        self.edited.emit()

    def _popup(self, menu: QMenu) -> None:
        item = self.tree.currentItem()
        at = self.tree.visualItemRect(item).bottomLeft() if item is not None else QPoint(0, 0)
        menu.popup(self.tree.viewport().mapToGlobal(at))
        menu.setActiveAction(menu.actions()[0])

    # --- showing -----------------------------------------------------------------------------------------------------

    def _show_tree(self) -> None:
        blocker = QSignalBlocker(self.tree)
        self.tree.clear()
        self._items = {}
        self.tree.addTopLevelItem(self._item(self._root, ()))
        self.tree.expandAll()
        self.tree.setCurrentItem(self._items[self._path])
        blocker.unblock()
        self._show_part()
        self._show_lines()

    def _item(self, node: NodeDraft, path: Path) -> QTreeWidgetItem:
        item = QTreeWidgetItem()
        item.setData(0, _PATH, path)
        self._items[path] = item
        item.addChildren([self._item(part, (*path, place)) for place, part in enumerate(node.parts)])
        return item

    def _show_lines(self) -> None:
        """Every line's words, and what is missing in it."""
        names, errors = self._names(), all_errors(self._root) if self._shows_errors else {}
        for path, node in walk(self._root):
            item, words = self._items[path], line_words(node, names)
            fault = next(iter(errors.get(path, {}).values()), "")
            item.setText(0, words)
            item.setToolTip(0, words)
            item.setText(1, say("incomplete") if fault else "")
            item.setToolTip(1, fault)
        self.tree.setColumnHidden(1, not errors)
        self.part_form.show_errors(errors.get(self._path, {}))

    def _show_part(self) -> None:
        self.part_form.fill(part_at(self._root, self._path))

    def _on_chosen(self, item: QTreeWidgetItem | None) -> None:
        if item is None:
            return
        self._path = tuple(item.data(0, _PATH))
        self._show_part()
        self._show_lines()
