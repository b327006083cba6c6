"""A run as people see it: text and HTML."""
