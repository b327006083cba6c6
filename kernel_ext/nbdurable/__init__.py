"""Durable cells for Jupyter: a restarted kernel replays what already happened."""
