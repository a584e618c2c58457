"""HTTP and WebSocket routes and the live hub."""
