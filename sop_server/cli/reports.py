"""`report`: the six reports, as of any instant."""
