"""Which topics a filter means, by the standard's own examples and against a plain definition."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.ingest.endpoint.filters import is_filter, matches

YES = [
    ("sport/tennis/#", "sport/tennis"), ("sport/tennis/#", "sport/tennis/ranking"), ("#", "a/b/c"), ("+", "finance"),
    ("sport/+", "sport/"), ("+/+", "/finance"), ("/+", "/finance"), ("+/tennis/#", "sport/tennis/x"),
    ("$SYS/#", "$SYS/a"), ("a/b", "a/b"),
]  # fmt: skip
NO = [
    ("sport/+", "sport"), ("sport/+", "sport/a/b"), ("+", "/finance"), ("#", "$SYS/a"), ("+/a", "$SYS/a"), ("a", "A"),
    ("sport/tennis/#", "sport"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "topic"), YES)
def test_the_standards_matches(wanted: str, topic: str) -> None:
    assert matches(wanted, topic)


@pytest.mark.parametrize(("wanted", "topic"), NO)
def test_the_standards_mismatches(wanted: str, topic: str) -> None:
    assert not matches(wanted, topic)


@pytest.mark.parametrize("text", ["", "a#", "#/a", "a/b#", "a+", "+a/b", "a/" * 40])
def test_what_is_no_filter(text: str) -> None:
    assert not is_filter(text)


LEVEL = st.sampled_from(["", "a", "b", "$x"])


@given(
    st.lists(st.sampled_from(["", "a", "b", "+", "#", "$x"]), min_size=1, max_size=5).map("/".join),
    st.lists(LEVEL, min_size=1, max_size=5).map("/".join),
)
def test_matching_is_what_its_pattern_says(wanted: str, topic: str) -> None:
    if not is_filter(wanted):
        return
    pattern = re.escape(wanted).replace(r"\+", "[^/]*")
    pattern = re.sub(r"/?\\#$", "(/.*)?", pattern) if wanted != "#" else ".*"
    is_ours = topic.startswith("$") and wanted[0] in "+#"
    assert matches(wanted, topic) == (re.fullmatch(pattern, topic) is not None and not is_ours)
