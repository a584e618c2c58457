"""The tests; a package of its own, because an installed distribution (gmqtt) brings one of the same name."""
