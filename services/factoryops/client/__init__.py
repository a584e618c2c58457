"""The typed client of the service's API, with an in-memory fake beside it."""
