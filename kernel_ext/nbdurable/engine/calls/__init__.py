"""Calls on their way through the protocol: matched, decided, executed, recorded."""
