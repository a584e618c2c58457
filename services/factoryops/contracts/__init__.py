"""What travels: MQTT payloads, live frames and HTTP bodies."""
