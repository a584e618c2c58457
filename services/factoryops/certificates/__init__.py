"""The plant's own certificate authority: issue, renew, revoke, inspect, and warn before a certificate ends."""
