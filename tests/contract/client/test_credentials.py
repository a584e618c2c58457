from __future__ import annotations

import json

import pytest

from factoryops.contracts import http
from factoryops.domain.credentials import CredentialKind
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role, new_id
from tests.contract.client.conftest import Subject

_DEVICE = http.CredentialRequest(kind=CredentialKind.DEVICE, name="press-9", device_key="press-9")


async def test_a_secret_is_told_once_together_with_what_a_device_must_know(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    made = await plant.create_credential(_DEVICE)
    assert made.credential.username == f"{subject.slug}.press-9"
    assert len(made.secret) >= 32
    told = json.loads(made.provisioning)
    assert (told["username"], told["secret"]) == (made.credential.username, made.secret)
    assert told["topic"] == f"factories/{subject.slug}/devices/press-9/telemetry"
    assert {"factoryops", "host", "port", "tls", "ca_sha256"} <= set(told)
    listed = await plant.credentials()
    assert made.credential in listed
    assert made.secret not in "".join(one.model_dump_json() for one in listed)
    with pytest.raises(ConflictError):
        await plant.create_credential(_DEVICE)
    await plant.revoke_credential(made.credential.id)
    assert made.credential.id not in {one.id for one in await plant.credentials()}


async def test_a_rotation_tells_another_secret_and_the_overlap_can_be_ended(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    made = await plant.create_credential(http.CredentialRequest(kind=CredentialKind.GATEWAY))
    rotated = await plant.rotate_credential(made.credential.id, http.RotationRequest(overlap_h=48))
    assert rotated.secret != made.secret
    assert rotated.credential.previous_until is not None
    settled = await plant.settle_credential(made.credential.id)
    assert settled.previous_until is None
    at_once = await plant.rotate_credential(made.credential.id, http.RotationRequest(overlap_h=0))
    assert at_once.credential.previous_until is None
    await plant.revoke_credential(made.credential.id)


@pytest.mark.parametrize(
    "request_",
    [
        http.CredentialRequest(kind=CredentialKind.DEVICE),
        http.CredentialRequest(kind=CredentialKind.TOOL, device_key="press-1"),
        http.CredentialRequest(kind=CredentialKind.DEVICE, device_key="a/b"),
    ],
    ids=["no device", "a tool with a device", "a key with a slash"],
)
async def test_a_credential_that_makes_no_sense_is_refused_by_its_field(
    subject: Subject, request_: http.CredentialRequest
) -> None:
    plant = await subject.enter(Role.ADMIN)
    with pytest.raises(InvalidInputError) as refused:
        await plant.create_credential(request_)
    assert "device_key" in refused.value.fields


async def test_an_unknown_credential_is_not_found(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    for asking in (
        plant.rotate_credential(new_id(), http.RotationRequest()),
        plant.settle_credential(new_id()),
        plant.revoke_credential(new_id()),
    ):
        with pytest.raises(NotFoundError):
            await asking


async def test_only_administrators_see_credentials(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    for asking in (plant.credentials(), plant.create_credential(_DEVICE), plant.revoke_credential(new_id())):
        with pytest.raises(NotAllowedError):
            await asking
