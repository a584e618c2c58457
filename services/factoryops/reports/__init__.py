"""Documents people print: built in a worker, from history and alarms."""
