"""The audit trail: reading it, proving it, anchoring it, and what has no other place to be told: denials, exports."""
