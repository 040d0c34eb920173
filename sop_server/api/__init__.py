"""JSON: the same services, the same shape."""
