"""The stand-in for the kubernetes provider: any known kind, and Helm releases as recorded values."""
