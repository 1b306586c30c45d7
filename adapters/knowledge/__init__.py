"""The documents of businesses: read, cut into passages, indexed and searched."""
