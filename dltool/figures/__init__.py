"""Numbers to a picture."""
