"""Takes whatever is written as InfluxDB would, in a process of its own that prints its address; for measuring."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Final

_ANSWER: Final = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


def _serve(connection: socket.socket) -> None:
    stream = connection.makefile("rb")
    while stream.readline():
        length = 0
        while (line := stream.readline().rstrip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        stream.read(length)
        connection.sendall(_ANSWER)


def main() -> None:
    """Serve until the parent ends it; a query finds nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
