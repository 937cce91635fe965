"""A synthetic trial: invented patients whose results, doses, troubles and broken messages look like a real site's.

Nothing here is drawn from a person. The same seed gives the same bytes: no clock, no environment, no global generator.
"""
