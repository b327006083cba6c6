"""Equal values and equal code have equal digests, in every process. Pure."""
