"""History in and out: back-fill from tables, and export of any range to tables."""
