"""How MQTT codes lengths, numbers and texts (OASIS MQTT 5, section 1.5)."""

from __future__ import annotations

from factoryops.ingest.endpoint.reasons import malformed


class Fields:
    """Reads the fields of a packet one after the other; every method raises ProtocolError where they end too soon."""

    __slots__ = ("_at", "_body", "_end")

    def __init__(self, body: bytes, at: int = 0, end: int | None = None) -> None:
        self._body = body
        self._at = at
        self._end = len(body) if end is None else end

    @property
    def at(self) -> int:
        """Where the next field begins."""
        return self._at

    @property
    def is_at_end(self) -> bool:
        """Whether everything has been read."""
        return self._at == self._end

    def since(self, begin: int) -> bytes:
        """What has been read since `begin`."""
        return self._body[begin : self._at]

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        end = self._at + length
        if end > self._end:
            raise malformed("a packet ends in the middle of a field")
        taken = self._body[self._at : end]
        self._at = end
        return taken

    def number(self, width: int) -> int:
        """An unsigned number of `width` bytes."""
        return int.from_bytes(self.take(width), "big")

    def variable(self) -> int:
        """A number in the variable coding."""
        found = decode_length(self._body[: self._end], self._at)
        if found is None:
            raise malformed("a packet ends in the middle of a number")
        value, self._at = found
        return value

    def data(self) -> bytes:
        """Binary data behind its length."""
        return self.take(self.number(2))

    def text(self) -> str:
        """A text behind its length."""
        try:
            text = self.data().decode("utf-8")
        except UnicodeDecodeError as error:
            raise malformed("a text is not valid UTF-8") from error
        if "\0" in text:
            raise malformed("a text holds a NUL character")
        return text

    def part(self) -> Fields:
        """The fields of a part that lies behind its length in the variable coding."""
        length = self.variable()
        begin = self._at
        self.take(length)
        return Fields(self._body, begin, self._at)

    def expect_end(self, packet: str) -> None:
        """Refuse a packet that goes on behind its last field."""
        if not self.is_at_end:
            raise malformed(f"a {packet} is longer than its fields")


def encode_length(length: int) -> bytes:
    """A length in its variable coding."""
    coded = bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        coded.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(coded)


def decode_length(data: bytes, at: int) -> tuple[int, int] | None:
    """(length, where what follows begins) of the coding at `at`; None when more bytes are needed.

    Raises:
        ProtocolError: the coding is longer than four bytes, or longer than it need be.
    """
    length = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        digit = data[at + place]
        length |= (digit & 0x7F) << (7 * place)
        if not digit & 0x80:
            if not digit and place:
                raise malformed("a length is coded in more bytes than it needs")
            return length, at + place + 1
    raise malformed("a length is malformed")


def field(data: bytes) -> bytes:
    """Binary data or a text behind its length."""
    return len(data).to_bytes(2, "big") + data


def packet(first: int, body: bytes) -> bytes:
    """A whole packet."""
    return bytes((first,)) + encode_length(len(body)) + body
