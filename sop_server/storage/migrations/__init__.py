"""The database's shape over time, one step per file of `versions`."""
