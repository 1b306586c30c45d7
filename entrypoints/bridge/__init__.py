"""The reference bridge: the coordinators' side of the AI agent server, a program of its own."""
