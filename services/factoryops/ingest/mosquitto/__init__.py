"""Mosquitto as the outside broker: its files written, checked, and its behaviour tried out (decision 0016)."""
