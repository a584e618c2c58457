"""The schema's history, one step after the other; shipped with the program."""
