"""Durable steps: looked up, replayed or executed, and how their ends are recorded."""
