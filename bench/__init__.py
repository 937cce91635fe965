"""Measurements, each printed by a `make bench-...` command; figures quoted anywhere come with theirs."""
