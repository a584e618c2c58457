"""Scheduled work: slots, leases, the limited worker process and the clock."""
