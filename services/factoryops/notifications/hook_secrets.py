"""Where hooks may lead, and what of them is secret."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

import msgspec

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS: Final = {"https": 443, "http": 80}
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class HookRules:
    """What plant IT permits.

    Attributes:
        allowed_networks: networks that are not public and may be reached all the same.
        allowed_hosts: when given, no other host is asked at all.
        allow_http: whether messages may travel without TLS.
    """

    allowed_networks: tuple[Network, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()
    allow_http: bool = False

    def permits(self, address: Address) -> bool:
        """Whether a connection to an address may be made."""
        plain = _unwrapped(address)
        is_odd = plain.version == 6 and plain not in _GLOBAL_UNICAST
        if any(plain.version == network.version and plain in network for network in self.allowed_networks):
            return True
        return plain.is_global and not plain.is_multicast and not is_odd


class HookSecrets(msgspec.Struct, frozen=True):
    """What of a hook is kept sealed."""

    url: str
    signing_key: str = ""

    def changed(self, change: http.HookSecretsChange) -> HookSecrets:
        """With what is sent in the place of what is held."""
        return HookSecrets(
            self.url if change.url is None else change.url,
            self.signing_key if change.signing_key is None else change.signing_key,
        )


def check_url(url: str, rules: HookRules) -> SplitResult:
    """The parts of a hook's address; raises InvalidInputError when it may not be used."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused("is not an address") from error
    if not _is_plain(url, parts.hostname or ""):
        raise _refused("has to be written in plain letters, its host as it is in the name service")
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not rules.allow_http):
        raise _refused("has to begin with https://")
    if not parts.hostname or parts.username is not None or parts.password is not None or port == 0:
        raise _refused("has to name a host, and no user")
    if rules.allowed_hosts and parts.hostname.casefold() not in rules.allowed_hosts:
        raise _refused(f"leads to {parts.hostname}, which is not among notifications.hooks.allowed_hosts")
    literal = _literal(parts.hostname)
    if literal is not None and not rules.permits(literal):
        raise _refused("leads into a network that is not public; plant IT can allow it in the settings")
    return parts


def _is_plain(url: str, host: str) -> bool:
    """Whether an address can be sent as it is written, and its host be asked for."""
    try:
        host.encode("ascii").decode("ascii").encode("idna")
    except UnicodeError:
        return False
    return url.isascii() and url.isprintable() and " " not in url


def port_of(parts: SplitResult) -> int:
    """The port an address leads to."""
    return parts.port or _PORTS[parts.scheme]


def _refused(why: str) -> InvalidInputError:
    return InvalidInputError(f"The hook's address {why}. Nothing was sent.", fields={"secrets.url": why})


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one: what a connection would really reach."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
