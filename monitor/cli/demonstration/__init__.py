"""The demonstration: the real worker on an embedded broker and SQLite, watched from outside as an operator would."""
