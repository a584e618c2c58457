"""The ISA-18.2 life cycle and the engine that drives it from the journal."""
