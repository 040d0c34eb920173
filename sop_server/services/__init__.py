"""One file per family of use cases; each owns its transaction."""
