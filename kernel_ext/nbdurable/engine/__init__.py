"""Durable execution: identity, decisions, journal, replay. Knows nothing of Jupyter."""
