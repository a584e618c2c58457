"""A believable plant that publishes over real MQTT, and the replay of recordings."""
