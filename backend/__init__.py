"""Remote state and the identity of CI: a Pulumi program of its own, run once per account before the first stack."""
