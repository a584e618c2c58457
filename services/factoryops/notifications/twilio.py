"""SMS and WhatsApp through Twilio's HTTP interface."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

import httpx

from factoryops.domain.notifying import ChannelKind
from factoryops.notifications.channel import ACCEPTED, Outcome, Outgoing
from factoryops.notifications.tls import Trust, public_authorities

_TOTAL_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The account messages are sent through.

    Attributes:
        sender: the number, or the id of the messaging service (MG…), they come from.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    url: str = "https://api.twilio.com"


class TwilioChannel:
    """One of the two; each has a sender of its own."""

    def __init__(self, kind: ChannelKind, account: TwilioAccount) -> None:
        self._kind = kind
        self._account = account
        self._trust = Trust(public_authorities)

    @property
    def kind(self) -> ChannelKind:
        """Which one."""
        return self._kind

    async def send(self, message: Outgoing) -> Outcome:
        """Hand a message over to Twilio."""
        try:
            async with asyncio.timeout(_TOTAL_S):
                response = await self._post(message)
        except TimeoutError:
            return Outcome(f"Twilio did not answer within {_TOTAL_S:g} s.")
        except httpx.HTTPError as error:
            return Outcome(f"Twilio cannot be reached ({type(error).__name__}).")
        return _judged(response.status_code)

    async def _post(self, message: Outgoing) -> httpx.Response:
        account = self._account
        trusted = await self._trust.context()
        async with httpx.AsyncClient(verify=trusted, timeout=_TOTAL_S, trust_env=False) as client:
            return await client.post(
                f"{account.url}/2010-04-01/Accounts/{account.account_sid}/Messages.json",
                data=self._form(message),
                auth=(account.account_sid, account.auth_token),
            )

    def _form(self, message: Outgoing) -> dict[str, str]:
        prefix = "whatsapp:" if self._kind is ChannelKind.WHATSAPP else ""
        sender = self._account.sender
        origin = {"MessagingServiceSid": sender} if sender.startswith("MG") else {"From": f"{prefix}{sender}"}
        return {"To": f"{prefix}{message.address}", "Body": message.short, **origin}


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return ACCEPTED
    if status in {401, 403}:
        return Outcome(f"Twilio refuses our login ({status}).", is_login_refused=True)
    return Outcome(f"Twilio answered {status}.", is_permanent=400 <= status < 500 and status != 429)
