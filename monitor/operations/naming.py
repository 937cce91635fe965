"""How a source is named to people: what comes from outside is cut short and kept to one line. Pure."""

from typing import Final

LONGEST: Final = 60  # characters: it fits a line of a notice


def named(source: str) -> str:
    """The name of a source for a sentence."""
    shown = "".join(character if character.isprintable() else "?" for character in source)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
