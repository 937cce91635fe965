"""Redaction: what is to be erased, what is left of it, and that nothing is decided otherwise by it (docs/audit.md)."""
