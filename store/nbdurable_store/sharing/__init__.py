"""Processes on one store: who may now, who executes, and whose turn it is."""
