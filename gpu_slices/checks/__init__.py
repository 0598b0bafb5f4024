"""Checks: one table of what is looked at, how it is judged, causes and remedies; preflight, verify, doctor and status are views."""
