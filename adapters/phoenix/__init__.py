"""Phoenix Channels as a library: a core without I/O, and the layers that put it on real sockets.

Core: `frames`, `handshake`, `server`, `client`. They are pure: text or bytes in, text out, and time
and chance are arguments.
Server: `channel` (what an application writes), `endpoint` (a Litestar route), `uvicorn_protocol`
(the WebSocket under it), `longpoll` (the transport beside it). Client: `client_connection`, over
`websockets`.
"""
