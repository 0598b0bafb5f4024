"""A plan in the reader's words: tables and JSON."""
