"""The demo: one stack through preview, up, a slice edit and destroy, told in the reader's words."""
