"""The policy pack: what an organisation asks of every stack, read from the resources that a stack declares."""
