"""Reusable Qt widgets that know domain types and never the network."""
