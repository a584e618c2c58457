"""What a bare paho-mqtt subscriber takes: QoS 1, counts messages and does nothing else, as a program of its own.

Prints one JSON line: how many it received and in how many seconds, from the first to the last.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

QUIET_S = 3.0


class Count:
    """Messages so far."""

    def __init__(self) -> None:
        self.received = 0
        self.first_s = self.last_s = 0.0
        self.is_ready = threading.Event()

    def take(self, _client: Client, _data: object, _message: MQTTMessage) -> None:
        """One message has come."""
        self.last_s = time.monotonic()
        if not self.received:
            self.first_s = self.last_s
        self.received += 1


def main() -> None:
    """Count until nothing has come for a while."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    for name in ("username", "password"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    count = Count()
    client = Client(CallbackAPIVersion.VERSION2, client_id="bare", clean_session=False)
    client.username_pw_set(options.username, options.password)
    client.on_message = count.take
    client.on_subscribe = lambda *_: count.is_ready.set()
    client.connect("127.0.0.1", options.port)
    client.loop_start()
    client.subscribe("factories/#", qos=1)
    count.is_ready.wait(10)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    idle = threading.Event()
    while not count.received or time.monotonic() - count.last_s < QUIET_S:
        idle.wait(0.2)
    client.loop_stop()
    seconds = count.last_s - count.first_s
    sys.stdout.write(json.dumps({"received": count.received, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
