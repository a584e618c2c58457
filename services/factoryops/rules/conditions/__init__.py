"""Conditions at work: compiled for one rule on one device, evaluated on columns, step by step with the watermark."""
