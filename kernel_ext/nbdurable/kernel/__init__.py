"""The IPython shell: the magic, capture, replay, interrupts."""
