"""What goes in and out of the API: one schema for each thing, which validates and documents at once."""
