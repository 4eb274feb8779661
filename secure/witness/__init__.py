"""A witness: remembers how far it has seen each log, and signs only what continues that (C2SP tlog-witness).

It runs at a member state, from a folder of its own, and needs neither Django nor a database. It sees origin, size and root of a log, and
no content.
"""
