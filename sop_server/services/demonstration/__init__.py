"""The example library, and a year of it played."""
