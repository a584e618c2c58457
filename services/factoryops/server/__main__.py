"""`python -m factoryops.server` is `factoryops-service`."""

from __future__ import annotations

from factoryops.server.command_line import main

if __name__ == "__main__":
    main()
