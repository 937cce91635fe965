"""The stories a course may follow, one a module, each `tell(course, rng) -> course`; and how often each is told."""
