"""Logging, health and the heartbeat each role leaves on disk."""
