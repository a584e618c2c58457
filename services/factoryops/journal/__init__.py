"""The append-only log on disk: the spine every sample passes through."""
