"""History in an InfluxDB 2 server, uploaded from under the journal."""
