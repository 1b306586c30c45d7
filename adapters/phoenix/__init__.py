"""Phoenix Channels: frames, the server's half and the client's half of the protocol, without I/O.

`frames`, `server` and `client` are pure: text or bytes in, text out, and time is an argument.
"""
