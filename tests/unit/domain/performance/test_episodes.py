"""What a history comes to as columns, against the same told line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.performance.episodes import NEVER, Happenings, read_history

Line = tuple[int, int, str, int, int, bool]

LINES = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(1, 3), st.sampled_from(["raised", "cleared", "acknowledged", "shelved"]),
        st.integers(0, 12), st.integers(1, 4), st.booleans(),
    ),
    max_size=40,
)  # fmt: skip


@given(LINES)
def test_columns_say_what_line_after_line_says(lines: list[Line]) -> None:
    episodes, spans = read_history(Happenings.of(*(zip(*lines, strict=True) if lines else ([],) * 6)))
    told = zip(
        episodes.at_us.tolist(), episodes.alarm.tolist(), episodes.priority.tolist(), episodes.by_condition.tolist(),
        episodes.acknowledged_us.tolist(), episodes.cleared_us.tolist(), strict=True,
    )  # fmt: skip
    active = zip(
        spans.raised_us.tolist(), spans.alarm.tolist(), spans.cleared_us.tolist(), spans.was_quiet.tolist(), strict=True
    )
    assert (list(told), list(active)) == plain(lines)


def plain(lines: list[Line]) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """The announcements in order, and the spans of being active in the order of their raises."""
    ordered = sorted(lines, key=lambda line: line[3])
    stories: dict[tuple[int, int], list[Line]] = {}
    for line in ordered:
        stories.setdefault(line[:2], []).append(line)
    announced, active = [], []
    for (alarm, _), own in stories.items():
        cleared_us = max((line[3] for line in own if line[2] == "cleared"), default=NEVER)
        raises = [line for line in own if line[2] == "raised"]
        answers = [line[3] for line in own if line[2] == "acknowledged"]
        for _, _, kind, at_us, priority, is_announcement in own:
            if is_announcement:
                answered_us = min((one for one in answers if one >= at_us), default=NEVER)
                announced.append((at_us, alarm, priority, kind == "raised", answered_us, cleared_us))
        if raises:
            active.append((raises[-1][3], alarm, cleared_us, not raises[-1][5]))
    return sorted(announced), sorted(active, key=lambda one: one[0])
