"""Phoenix Channels as a library: a core without I/O, and the layers that put it on real sockets.

Core: `frames`, `handshake`, `server`, `client`, `websocket` (the frames of RFC 6455). Pure: text
or bytes in, text or decisions out, and time and chance are arguments.
Server: `channel` (what an application writes), `endpoint` (a Litestar route), `uvicorn_protocol`
(the handshake under it), `socket_protocol` (the WebSocket after that), `longpoll` (the transport
beside it). Client: `client_connection`, over `websockets`.
"""
