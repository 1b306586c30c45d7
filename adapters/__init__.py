"""Technologies behind the ports of `application/ports.py`, and the Phoenix protocol core."""
