"""The workstation program: windows, pages, session and view models."""
