"""The kinds of values, one file per library family."""
