"""The library in git, and the repositories of others that are imported."""
