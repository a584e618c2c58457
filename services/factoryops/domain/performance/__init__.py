"""Alarm performance: how many alarms reach an operator, which are a nuisance, and how they are answered.

The definitions are based on public texts about ISA-18.2 / IEC 62682 and EEMUA 191. Only annunciations count: what was
raised while shelved, suppressed or out of service reached nobody.
"""
