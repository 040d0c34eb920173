"""The process register."""
