"""The reference bridge: its stores, and its way to the server."""
