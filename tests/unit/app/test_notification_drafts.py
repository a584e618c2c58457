from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.contracts import http
from factoryops.domain.notifying import PERSONAL, ChannelKind, TargetKind
from factoryops_app.models.notification_drafts import ContactDraft, HookDraft, RosterDraft, StandIn
from factoryops_app.models.policy_draft import PolicyDraft, TellDraft, steps_words
from factoryops_app.models.schedule_draft import WindowDraft
from factoryops_resources.words import set_language

BERLIN = ZoneInfo("Europe/Berlin")
JANA, TOM = "1" * 32, "2" * 32
KEPT = {"id": "a" * 32, "version": 3, "changed_by": "admin", "changed_at": datetime(2026, 3, 1, tzinfo=UTC)}
_CONTACT = http.ContactContent(
    name="Jana", email="jana@example.com", phone="+4915112345678", quiet=[http.DutyWindow(start="22:00", end="06:00")]
)


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


def test_a_contact_comes_back_as_it_was() -> None:
    draft = ContactDraft.of(http.Contact.model_validate(KEPT | {"content": _CONTACT}))
    assert draft.errors() == {}
    assert (draft.content(), draft.identity, draft.version) == (_CONTACT, KEPT["id"], 3)


def test_each_field_of_a_contact_says_what_it_wants() -> None:
    draft = ContactDraft(
        name=" ", email="jana", phone="0151", most_per_hour="many", quiet=(WindowDraft("Mon-Foo", "22", "06:00"),)
    )
    assert draft.errors() == {
        "name": "Give it a name.",
        "email": "Write an address such as jana@example.com.",
        "phone": "Write the number with its country, such as +4915112345678.",
        "most_per_hour": "A whole number from 0 (no bound) to 3600.",
        "quiet": "Write days as Mon-Fri or Sat, Sun.",
        "quiet[0].days": "Write days as Mon-Fri or Sat, Sun.",
        "quiet[0].start": "Write a time as 06:30.",
    }


def test_a_phone_number_may_be_typed_with_spaces() -> None:
    assert ContactDraft(name="Jana", phone="+49 151 12345678").content().phone == "+4915112345678"


def test_a_hook_keeps_its_secrets_until_new_ones_are_typed() -> None:
    kept = http.Hook.model_validate(
        KEPT | {"content": {"name": "Chat", "kind": "slack"}, "host": "hooks.example.com", "is_signed": False}
    )
    draft = HookDraft.of(kept)
    assert (draft.errors(), draft.changed_secrets()) == ({}, None)
    assert "url" in HookDraft(name="Chat").errors()
    assert "url" in replace(draft, url="https://").errors()
    moved = replace(draft, url="https://hooks.example.com/y")
    assert moved.changed_secrets() == http.HookSecretsChange(url="https://hooks.example.com/y")
    signing = replace(draft, signing_key="k")
    assert (signing.errors(), signing.changed_secrets()) == ({}, http.HookSecretsChange(signing_key="k"))
    unsigned = replace(draft, drops_key=True)
    assert (unsigned.errors(), unsigned.changed_secrets()) == ({}, http.HookSecretsChange(signing_key=""))
    typed = HookDraft(name="Chat", url=" https://hooks.example.com/x ", signing_key="k")
    assert typed.secrets() == http.HookSecrets(url="https://hooks.example.com/x", signing_key="k")


def test_a_roster_is_typed_on_the_factorys_clock() -> None:
    draft = RosterDraft(
        BERLIN, "Maintenance", (JANA, TOM), "02.03.2026", "08:00", "7", (),
        (StandIn("2026-03-28 22:00", "2026-03-29 06:00", TOM),),
    )  # fmt: skip
    assert draft.errors() == {}
    content = draft.content()
    assert content.starts_on == date(2026, 3, 2)
    assert content.overrides[0].start == datetime(2026, 3, 28, 21, tzinfo=UTC)
    assert content.overrides[0].end == datetime(2026, 3, 29, 4, tzinfo=UTC)
    again = RosterDraft.of(http.Roster.model_validate(KEPT | {"content": content}), BERLIN)
    assert again.stand_ins == draft.stand_ins
    assert again.content() == content


def test_what_is_wrong_with_a_roster_is_said_where_it_is() -> None:
    draft = RosterDraft(BERLIN, "Maintenance", ("",), "soon", "8", "0", (), (StandIn("now", "2026-03-29 06:00", TOM),))
    assert set(draft.errors()) == {
        "members", "starts_on", "handover", "turn_days", "overrides", "overrides[0].start",
    }  # fmt: skip
    turned = RosterDraft(
        BERLIN, "M", (JANA,), "2026-03-02", stand_ins=(StandIn("2026-03-29 06:00", "2026-03-29 05:00", TOM),)
    )
    assert turned.errors() == {"overrides[0].end": "Whoever stands in begins before the end."}


def test_rows_of_one_moment_and_one_target_are_one_step_with_several_channels() -> None:
    draft = PolicyDraft(
        "Urgent",
        (
            TellDraft("10 min", f"roster:{JANA}", "sms"),
            TellDraft("0 s", "role:operator", "email"),
            TellDraft("0", "role:operator", "in_app"),
            TellDraft("0 s", f"hook:{TOM}", ""),
        ),
        frozenset({"1"}),
    )
    assert draft.errors() == {}
    content = draft.content()
    assert [(step.after_s, len(step.to)) for step in content.steps] == [(0.0, 2), (600.0, 1)]
    assert content.steps[0].to[0].channels == [ChannelKind.EMAIL, ChannelKind.IN_APP]
    assert steps_words(content, lambda key: key.partition(":")[0]) == (
        "at once role (E-mail, In the client), hook; after 10 min roster (SMS)"
    )


def test_every_row_of_a_policy_says_what_it_lacks() -> None:
    draft = PolicyDraft("", (TellDraft("soon", "", "email"), TellDraft("0", f"contact:{JANA}", "")), repeat="30 s")
    errors = draft.errors()
    assert {"steps[0].after", "steps[0].target", "steps[1].channel", "name", "repeat_s"} <= set(errors)
    assert PolicyDraft("Nobody").errors() == {"steps": "Say who is told: add a row."}


_PEOPLE = st.builds(
    lambda kind, name, channels: http.TargetContent(kind=kind, name=name, channels=channels),
    st.sampled_from([TargetKind.CONTACT, TargetKind.ROSTER]),
    st.sampled_from([JANA, TOM]),
    st.lists(st.sampled_from(PERSONAL), min_size=1, max_size=4, unique=True),
)
_TARGETS = st.lists(_PEOPLE, min_size=1, max_size=4, unique_by=lambda one: (one.kind, one.name))


@given(st.dictionaries(st.sampled_from([0.0, 30.0, 600.0, 5_400.0]), _TARGETS, min_size=1))
def test_the_table_of_who_is_told_loses_nothing_of_a_policy(steps: dict[float, list[http.TargetContent]]) -> None:
    content = http.PolicyContent(
        name="Any", steps=[http.StepContent(to=steps[after_s], after_s=after_s) for after_s in sorted(steps)]
    )
    draft = PolicyDraft.of(http.NotificationPolicy.model_validate(KEPT | {"content": content}))
    assert draft.content() == content
