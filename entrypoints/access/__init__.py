"""Authentication and abuse limits, for the server and the bridge."""
