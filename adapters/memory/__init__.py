"""Adapters that keep everything in the memory of the process."""
