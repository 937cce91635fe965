"""Complete copies of the log for an inspector, that prove themselves (docs/audit.md)."""
