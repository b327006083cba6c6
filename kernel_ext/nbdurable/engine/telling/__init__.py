"""What people read: why something ran, in the words of one place. Pure."""
