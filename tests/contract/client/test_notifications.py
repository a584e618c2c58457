"""Who is told of alarms is decided by supervisors, said in words beforehand, and never loses a secret."""

from __future__ import annotations

from datetime import date

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, OutdatedError
from factoryops.domain.identity import Role, new_id
from factoryops.domain.notifying import ChannelKind, HookKind, TargetKind
from tests.contract.client.conftest import Subject

SECRETS = http.HookSecrets(url="https://hooks.example.com/services/very-secret", signing_key="also-secret")


def to_contact(identity: str, *channels: ChannelKind) -> http.TargetContent:
    return http.TargetContent(kind=TargetKind.CONTACT, name=identity, channels=list(channels))


async def test_contacts_are_kept_changed_and_taken_away(subject: Subject) -> None:
    plant = await subject.enter()
    made = await plant.create_contact(http.ContactContent(name="Jana", email="jana@example.com"))
    assert made in await plant.contacts()
    content = made.content.model_copy(update={"phone": "+4915112345678"})
    changed = await plant.update_contact(made.id, http.ContactUpdate(version=made.version, content=content))
    assert (changed.version, changed.content.phone) == (2, "+4915112345678")
    with pytest.raises(OutdatedError):
        await plant.update_contact(made.id, http.ContactUpdate(version=made.version, content=content))
    await plant.delete_contact(made.id)
    assert made.id not in {one.id for one in await plant.contacts()}
    with pytest.raises(NotFoundError):
        await plant.delete_contact(made.id)


async def test_a_roster_says_who_is_on_call_and_holds_its_members(subject: Subject) -> None:
    plant = await subject.enter()
    jana = await plant.create_contact(http.ContactContent(name="Jana R", email="jana@example.com"))
    roster = await plant.create_roster(
        http.RosterContent(name="Night", members=[jana.id], starts_on=date(2020, 1, 6), handover="06:00")
    )
    assert roster.on_call == jana.id
    assert roster.on_call_until is not None
    with pytest.raises(ConflictError, match="roster") as caught:
        await plant.delete_contact(jana.id)
    assert not isinstance(caught.value, OutdatedError)
    with pytest.raises(NotFoundError):
        await plant.create_roster(http.RosterContent(name="X", members=[new_id()], starts_on=date(2020, 1, 6)))
    await plant.delete_roster(roster.id)
    await plant.delete_contact(jana.id)


async def test_a_hook_never_answers_its_secrets(subject: Subject) -> None:
    plant = await subject.enter()
    content = http.HookContent(name="Shift chat", kind=HookKind.SLACK)
    made = await plant.create_hook(http.HookRequest(content=content, secrets=SECRETS))
    assert (made.host, made.is_signed) == ("hooks.example.com", True)
    renamed = content.model_copy(update={"name": "Chat"})
    changed = await plant.update_hook(made.id, http.HookUpdate(version=1, content=renamed))
    assert (changed.content.name, changed.host, changed.is_signed) == ("Chat", "hooks.example.com", True)
    assert "secret" not in "".join(one.model_dump_json() for one in await plant.hooks()).replace("secrets", "")
    moved = http.HookSecretsChange(url="https://other.example.com/x")
    changed = await plant.update_hook(made.id, http.HookUpdate(version=2, content=renamed, secrets=moved))
    assert (changed.host, changed.is_signed) == ("other.example.com", True)
    for version, (key, is_signed) in enumerate([("", False), (None, False), ("another", True), ("", False)], 3):
        change = http.HookSecretsChange(signing_key=key)
        changed = await plant.update_hook(made.id, http.HookUpdate(version=version, content=renamed, secrets=change))
        assert (changed.host, changed.is_signed) == ("other.example.com", is_signed)
    with pytest.raises(InvalidInputError, match="https"):
        await plant.create_hook(
            http.HookRequest(content=content, secrets=http.HookSecrets(url="http://hooks.example.com/x"))
        )
    await plant.delete_hook(made.id)


async def test_a_policy_is_refused_when_a_step_cannot_work(subject: Subject) -> None:
    plant = await subject.enter()
    with pytest.raises(NotFoundError):
        await plant.create_notification_policy(
            http.PolicyContent(name="P", steps=[http.StepContent(to=[to_contact(new_id(), ChannelKind.EMAIL)])])
        )
    jana = await plant.create_contact(http.ContactContent(name="Jana P", email="jana@example.com"))
    late = http.StepContent(to=[to_contact(jana.id, ChannelKind.EMAIL)], after_s=600)
    early = http.StepContent(to=[to_contact(jana.id, ChannelKind.WEBHOOK)])
    with pytest.raises(InvalidInputError) as caught:
        await plant.create_notification_policy(http.PolicyContent(name="P", steps=[late, early]))
    assert set(caught.value.fields) == {"steps", "steps.1.to.0"}


async def test_the_preview_says_in_words_what_would_be_sent_and_why(subject: Subject) -> None:
    plant = await subject.enter()
    rule = (await plant.rules())[0]
    before = await plant.notification_preview(rule.id)
    assert before.summary.startswith("Nobody is told")
    jana = await plant.create_contact(http.ContactContent(name="Jana W", email="jana@example.com"))
    policy = await plant.create_notification_policy(
        http.PolicyContent(
            name="All",
            steps=[
                http.StepContent(to=[to_contact(jana.id, ChannelKind.EMAIL)]),
                http.StepContent(to=[to_contact(jana.id, ChannelKind.SMS)], after_s=600),
            ],
            repeat_s=900,
        )
    )
    after = await plant.notification_preview(rule.id)
    assert [line.is_sent for line in after.lines] == [True, False, True]
    assert after.lines[0].text == "At once Jana W is told by e-mail (j…@example.com)."
    assert after.lines[1].text.endswith("but is not: no address for this channel.")
    assert "Jana W would be told" in after.summary
    with pytest.raises(ConflictError, match="policy All"):
        await plant.delete_contact(jana.id)
    with pytest.raises(NotFoundError):
        await plant.notification_preview(new_id())
    await plant.delete_notification_policy(policy.id)
    await plant.delete_contact(jana.id)


async def test_a_test_message_goes_into_the_ledger_with_its_address_masked(subject: Subject) -> None:
    plant = await subject.enter()
    jana = await plant.create_contact(http.ContactContent(name="Jana T", email="jana@example.com"))
    sent = await plant.send_test_message(http.TestMessage(kind=TargetKind.CONTACT, name=jana.id))
    assert (sent.event, sent.recipient, sent.address) == ("test", "Jana T", "j…@example.com")
    page = await plant.deliveries(most=1)
    assert [one.id for one in page.deliveries] == [sent.id]
    with pytest.raises(InvalidInputError):
        await plant.send_test_message(http.TestMessage(kind=TargetKind.CONTACT, name=jana.id, channel=ChannelKind.SMS))


async def test_only_supervisors_decide_and_only_administrators_open_a_way_out(subject: Subject) -> None:
    operator = await subject.enter(Role.OPERATOR)
    with pytest.raises(NotAllowedError):
        await operator.create_contact(http.ContactContent(name="X"))
    with pytest.raises(NotAllowedError):
        await operator.contacts()
    assert (await operator.inbox()).messages == []
    supervisor = await subject.enter(Role.SUPERVISOR)
    content = http.HookContent(name="Chat", kind=HookKind.TEAMS)
    with pytest.raises(NotAllowedError):
        await supervisor.create_hook(http.HookRequest(content=content, secrets=SECRETS))


async def test_a_policy_that_a_rule_names_cannot_be_taken_away(subject: Subject) -> None:
    plant = await subject.enter()
    jana = await plant.create_contact(http.ContactContent(name="Jana N", email="jana@example.com"))
    policy = await plant.create_notification_policy(
        http.PolicyContent(name="Named", steps=[http.StepContent(to=[to_contact(jana.id, ChannelKind.EMAIL)])])
    )
    rule = (await plant.rules())[0]
    naming = rule.content.model_copy(update={"notify": (policy.id,)})
    named = await plant.update_rule(rule.id, http.RuleUpdate(version=rule.version, content=naming, reason="Names it"))
    with pytest.raises(ConflictError, match=f"named by the rules {rule.content.name}"):
        await plant.delete_notification_policy(policy.id)
    await plant.update_rule(
        rule.id, http.RuleUpdate(version=named.version, content=rule.content, reason="Names it no more")
    )
    await plant.delete_notification_policy(policy.id)
    with pytest.raises(NotFoundError):
        await plant.delete_notification_policy(policy.id)
