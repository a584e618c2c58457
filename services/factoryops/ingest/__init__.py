"""Receives telemetry, guards the door, appends to the journal and only then acknowledges."""
