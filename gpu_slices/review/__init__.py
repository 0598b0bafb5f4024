"""What an edit of a stack's settings means: two plans side by side, the risks, what the engine and a cluster add."""
