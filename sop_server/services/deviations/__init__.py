"""Deviations from SOPs: proposing, deciding, ending them, and who sees them."""
