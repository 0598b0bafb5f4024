"""The stand-in for the aws provider: AWS's shapes, names and refusals, without AWS."""
