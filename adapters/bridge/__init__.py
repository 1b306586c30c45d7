"""The adapters of the reference bridge: its stores, and its client of the server's HTTP API."""
