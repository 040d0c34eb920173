"""What may be shown on a terminal."""


def harmless(text: str) -> str:
    """Return a line in which nothing steers the terminal: a file's name may hold any character."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
