"""Businesses from a folder of TOML files."""
