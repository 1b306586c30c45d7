"""An assistant on top of any model's API; a provider adds the client of its API."""
