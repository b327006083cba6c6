"""Many calls at once: a map over items, each a journaled call."""
