"""The MQTT endpoint devices connect straight to: its PUBACK means "on disk"."""
