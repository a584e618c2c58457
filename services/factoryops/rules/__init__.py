"""The condition language and its evaluation, shared by the live engine and the back-test."""
