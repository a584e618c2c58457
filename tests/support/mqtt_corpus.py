"""Valid packets of every kind a client sends, and ways to damage them."""

from __future__ import annotations

import random
from typing import Final

from tests.support.mqtt_client import connect_packet, field, packet, publish5_packet, publish_packet

TOPIC: Final = b"factories/riverside/devices/pump-1/telemetry"
SAMPLE: Final = b'{"metrics":{"n":1}}'
_USER: Final = b"\x26" + field(b"site") + field(b"hall")
_RICH: Final = (
    b"\x01\x01\x02\x00\x00\x00\x3c\x03" + field(b"json") + b"\x08" + field(b"re") + b"\x09" + field(b"x") + _USER
)

LOGINS: Final = {
    4: connect_packet("meter", will=(TOPIC, SAMPLE)),
    5: connect_packet(
        "meter", level=5, will=(TOPIC, SAMPLE), will_properties=b"\x18\x00\x00\x00\x05" + _RICH,
        properties=b"\x11\x00\x00\x00\x0a\x21\x00\x14\x22\x00\x0a\x27\x00\x01\x00\x00\x17\x01\x19\x00" + _USER,
    ),
}  # fmt: skip

PACKETS: Final = {
    4: (
        publish_packet(TOPIC, SAMPLE, None),
        publish_packet(TOPIC, SAMPLE, 1),
        publish_packet(TOPIC, SAMPLE * 20, 2),
        publish_packet(TOPIC, SAMPLE, 3, first=0x34),
        packet(0x62, b"\0\x09"),
        packet(0x82, b"\0\4" + field(b"factories/#") + b"\0" + field(b"a/+/b") + b"\1"),
        packet(0xA2, b"\0\5" + field(b"a/+/b")),
        b"\xc0\0",
    ),
    5: (
        publish5_packet(TOPIC, SAMPLE, None, properties=_RICH),
        publish5_packet(TOPIC, SAMPLE, 1),
        publish5_packet(TOPIC, SAMPLE * 20, 2, properties=_RICH + b"\x23\x00\x01"),
        publish5_packet(b"", SAMPLE, 3, properties=b"\x23\x00\x01"),
        publish5_packet(TOPIC, SAMPLE, 4, first=0x34),
        publish5_packet(b"forbidden", SAMPLE, 5),
        packet(0x62, b"\0\x09\0\0"),
        packet(0x82, b"\0\6\2\x0b\7" + field(b"factories/#") + b"\0" + field(b"a/+/b") + b"\x2d"),
        packet(0xA2, b"\0\7\0" + field(b"a/+/b") + field(b"never")),
        b"\xc0\0",
    ),
}
GOODBYES: Final = {4: b"\xe0\0", 5: packet(0xE0, b"\4\5\x1f" + field(b"ok"))}


def whole_stream(level: int) -> bytes:
    """A login, every packet, and a goodbye."""
    return LOGINS[level] + b"".join(PACKETS[level]) + GOODBYES[level]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The same bytes with a few changed, cut out, doubled or put in."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(5)
        if kind == 0 and at < len(changed):
            changed[at] = chance.randrange(256)
        elif kind == 1 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del changed[at : at + chance.randint(1, 4)]
        elif kind == 3:
            changed[at:at] = chance.randbytes(chance.randint(1, 4))
        else:
            changed[at:at] = changed[at : at + chance.randint(1, 8)]
    return bytes(changed)
