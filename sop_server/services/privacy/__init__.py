"""What is held about people: told to them, kept for a time, and erased."""
