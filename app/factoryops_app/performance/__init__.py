"""Alarm performance: figures, lists of nuisance alarms, and proposals for them."""
