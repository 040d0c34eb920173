"""One file per ticket source: its payload becomes our ticket."""
