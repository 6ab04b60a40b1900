"""The command line, one file per verb. None of them imports torch before it is needed."""
