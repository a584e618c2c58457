"""FactoryOps without a screen: everything the plant server runs and what both sides share."""
