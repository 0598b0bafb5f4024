"""The stand-in for the eks component provider."""
