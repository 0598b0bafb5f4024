"""Pulumi components: one per file, each usable on its own with nothing but its args. They declare, they decide nothing."""
