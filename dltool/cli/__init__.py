"""The command line, one file per verb. No verb imports torch before it needs it."""
