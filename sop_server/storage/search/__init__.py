"""Full-text search: one protocol, engines behind it."""
