"""The AI agent server: sockets, HTTP API and composition root."""
