"""Other people's folders and repositories become SOPs."""
