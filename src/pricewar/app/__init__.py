"""The local page: a server on the loopback address, one WebSocket, and handlers that answer its topics.

`server` serves files and keeps strangers out, `session` runs one socket, `topics` names who answers what. The
answers present what the rooms below compute.
"""
