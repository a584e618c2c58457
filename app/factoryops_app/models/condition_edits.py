"""What can be done with the parts of a condition: each edit answers the changed tree and where the part is now."""

from __future__ import annotations

from dataclasses import dataclass

from factoryops_app.models.condition_draft import TAKE_EXPRESSIONS, NodeDraft, NodeKind, OperandKind, Path


@dataclass(frozen=True, slots=True)
class Edited:
    """The tree after an edit, and the part that is to be chosen."""

    root: NodeDraft
    path: Path


def part_at(root: NodeDraft, path: Path) -> NodeDraft:
    """The part at the end of a way; IndexError when there is none."""
    for place in path:
        root = root.parts[place]
    return root


def replaced(root: NodeDraft, path: Path, part: NodeDraft) -> NodeDraft:
    """The tree with another part at the end of the way."""
    if not path:
        return part
    parts = list(root.parts)
    parts[path[0]] = replaced(parts[path[0]], path[1:], part)
    return root.with_(parts=tuple(parts))


def added(root: NodeDraft, path: Path, kind: NodeKind) -> Edited:
    """A new part: at the end of the chosen group, else after the chosen part, in a new group where there is none."""
    chosen = part_at(root, path)
    if chosen.kind.is_group:
        grown = chosen.with_(parts=(*chosen.parts, NodeDraft.new(kind)))
        return Edited(replaced(root, path, grown), (*path, len(chosen.parts)))
    if path and part_at(root, path[:-1]).kind.is_group:
        return _inserted(root, path[:-1], path[-1] + 1, NodeDraft.new(kind))
    group = NodeDraft.new(NodeKind.ALL, (chosen, NodeDraft.new(kind)))
    return Edited(replaced(root, path, group), (*path, 1))


def removed(root: NodeDraft, path: Path) -> Edited | None:
    """Without a part; what only held that part goes with it, a group of one that stays becomes its part.

    None when nothing would be left.
    """
    if not path:
        return None
    parent_path = path[:-1]
    parent = part_at(root, parent_path)
    rest = parent.parts[: path[-1]] + parent.parts[path[-1] + 1 :]
    if not rest:
        return removed(root, parent_path)
    if len(rest) == 1:
        return Edited(replaced(root, parent_path, rest[0]), parent_path)
    chosen = (*parent_path, min(path[-1], len(rest) - 1))
    return Edited(replaced(root, parent_path, parent.with_(parts=rest)), chosen)


def moved(root: NodeDraft, path: Path, step: int) -> Edited | None:
    """Up (-1) or down (1) within its group; None at the end of it."""
    if not path:
        return None
    parent = part_at(root, path[:-1])
    there = path[-1] + step
    if not 0 <= there < len(parent.parts):
        return None
    parts = list(parent.parts)
    parts[path[-1]], parts[there] = parts[there], parts[path[-1]]
    return Edited(replaced(root, path[:-1], parent.with_(parts=tuple(parts))), (*path[:-1], there))


def moved_in(root: NodeDraft, path: Path) -> Edited | None:
    """Into the group just before it, else into the one just after; None when there is neither."""
    if not path:
        return None
    siblings, place = part_at(root, path[:-1]).parts, path[-1]
    for there in (place - 1, place + 1):
        if 0 <= there < len(siblings) and siblings[there].kind.is_group:
            return _into(root, path, there)
    return None


def _into(root: NodeDraft, path: Path, there: int) -> Edited:
    parent_path, place = path[:-1], path[-1]
    parent = part_at(root, parent_path)
    group, part = parent.parts[there], parent.parts[place]
    at = len(group.parts) if there < place else 0
    grown = group.with_(parts=(*group.parts[:at], part, *group.parts[at:]))
    rest = [grown if index == there else one for index, one in enumerate(parent.parts) if index != place]
    if len(rest) == 1 and parent.kind.is_group:
        return Edited(replaced(root, parent_path, grown), (*parent_path, at))
    group_path = (*parent_path, there if there < place else there - 1)
    return Edited(replaced(root, parent_path, parent.with_(parts=tuple(rest))), (*group_path, at))


def moved_out(root: NodeDraft, path: Path) -> Edited | None:
    """Out of its group, to just after it; None where the group does not lie in another one or would be empty."""
    if len(path) < 2:
        return None
    parent, above = part_at(root, path[:-1]), part_at(root, path[:-2])
    rest = parent.parts[: path[-1]] + parent.parts[path[-1] + 1 :]
    if not above.kind.is_group or not rest:
        return None
    left = rest[0] if len(rest) == 1 else parent.with_(parts=rest)
    shrunk = replaced(root, path[:-1], left)
    return _inserted(shrunk, path[:-2], path[-2] + 1, parent.parts[path[-1]])


def wrapped(root: NodeDraft, path: Path, kind: NodeKind) -> Edited:
    """With a group or wrapper of `kind` around a part."""
    wrapper = NodeDraft.new(kind, (part_at(root, path),))
    return Edited(replaced(root, path, wrapper), path)


def unwrapped(root: NodeDraft, path: Path) -> Edited | None:
    """With a wrapper, or a group of one, replaced by its part; None for anything else."""
    chosen = part_at(root, path)
    return Edited(replaced(root, path, chosen.parts[0]), path) if len(chosen.parts) == 1 else None


def changed_kind(root: NodeDraft, path: Path, kind: NodeKind) -> Edited:
    """As another kind: groups and wrappers keep their parts, leaves what both kinds have.

    A leaf that becomes a group or a wrapper becomes its part.
    """
    chosen = part_at(root, path)
    if chosen.kind is kind:
        return Edited(root, path)
    if kind.is_leaf:
        return Edited(replaced(root, path, _like(chosen, NodeDraft.new(kind))), path)
    if chosen.kind.is_leaf:
        return wrapped(root, path, kind)
    parts = chosen.parts
    if kind.is_wrapper and len(parts) > 1:
        parts = (NodeDraft.new(NodeKind.ALL if chosen.kind is NodeKind.ALL else NodeKind.ANY, parts),)
    return Edited(replaced(root, path, _like(chosen, NodeDraft.new(kind, parts))), path)


def _like(old: NodeDraft, new: NodeDraft) -> NodeDraft:
    """The new part with what the old one has of the same name."""
    texts = {key: old.texts.get(key, text) for key, text in new.texts.items()}
    subject = old.operands.get("of") or old.operands.get("left")
    operands = dict(new.operands)
    if subject is not None and (subject.kind is OperandKind.PARAMETER or new.kind in TAKE_EXPRESSIONS):
        operands |= {key: subject for key in ("of", "left") if key in operands}
    return new.with_(texts=texts, operands=operands)


def _inserted(root: NodeDraft, path: Path, place: int, part: NodeDraft) -> Edited:
    group = part_at(root, path)
    grown = group.with_(parts=(*group.parts[:place], part, *group.parts[place:]))
    return Edited(replaced(root, path, grown), (*path, place))
