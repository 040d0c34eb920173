"""The command line: the same services again."""
