"""The folder of a store: what stands there, whose it is, and what is whole."""
