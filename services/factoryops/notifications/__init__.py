"""Who is told of an alarm, how, and what became of it: outbox, policies, channels, ledger."""
