"""Files that a step reads and writes: seen, remembered, compared."""
