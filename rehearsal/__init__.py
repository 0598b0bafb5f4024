"""The same program on one machine, without a cloud: the real engine over stand-in providers."""
