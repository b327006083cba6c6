"""What the journal says: runs, steps and calls folded from their records, and decisions."""
