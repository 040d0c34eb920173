"""HTML: parse, one service call, render or redirect."""
