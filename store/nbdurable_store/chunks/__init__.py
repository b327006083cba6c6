"""Large values: cut by what they hold, each chunk once, in files of their own."""
