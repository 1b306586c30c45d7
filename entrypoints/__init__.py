"""Ways into the application: the socket, the HTTP API, the command line, and their wiring."""
