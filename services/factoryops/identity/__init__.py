"""Users, passwords, sessions, permissions and the snapshot that ingest authorises devices with."""
