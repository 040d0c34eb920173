"""The only way that main moves, and what holds the stores together."""
