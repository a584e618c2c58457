"""Keeps every sample: the store port with its local and InfluxDB adapters."""
