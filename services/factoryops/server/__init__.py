"""The composition root: settings, supervisor and command line."""
