"""A hook's address and signing key are kept, replaced and taken away one without the other."""

from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.notifications.hook_secrets import HookSecrets

HELD = HookSecrets("https://erp.example.com/x", "sesame")


@pytest.mark.parametrize(
    ("url", "key", "after"),
    [
        (None, None, HELD),
        (None, "", HookSecrets(HELD.url)),
        (None, "other", HookSecrets(HELD.url, "other")),
        ("https://erp.example.com/y", None, HookSecrets("https://erp.example.com/y", HELD.signing_key)),
        ("https://erp.example.com/y", "", HookSecrets("https://erp.example.com/y")),
    ],
)
def test_what_is_not_sent_stays_as_it_is(url: str | None, key: str | None, after: HookSecrets) -> None:
    assert HELD.changed(http.HookSecretsChange(url=url, signing_key=key)) == after
