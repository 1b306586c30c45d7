"""An assistant over a model's API, whoever provides it: all but the client that speaks the API."""
