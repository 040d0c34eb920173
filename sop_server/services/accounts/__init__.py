"""People: accounts, roles, teams, sign-in and tokens."""
