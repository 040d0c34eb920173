"""The reports, the findings, and the first page of who acts on them."""
