"""What a stack's settings amount to: plain Python, without Pulumi and without a network."""
