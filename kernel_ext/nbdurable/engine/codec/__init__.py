"""Values to bytes and back, in layers that never fall back on loading."""
