"""The log as a person reads it: a patient's course, an alert's grounds, a record's versions. Pure but for `opening`."""
