"""What people do with SOPs in force: acknowledge, report, review."""
