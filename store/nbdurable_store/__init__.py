"""A journal and its content-addressed blobs; usable without Jupyter."""
