"""Segments of records: how they are written, sealed, read and made shorter."""
