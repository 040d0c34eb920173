"""Drafts from the first word to the decision."""
