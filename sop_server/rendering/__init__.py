"""Markdown to safe HTML, and redlines."""
