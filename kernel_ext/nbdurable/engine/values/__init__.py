"""Values looked at on their way to a digest, to the store and to a screen."""
