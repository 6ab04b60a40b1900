"""The command line, a verb a file. None of them imports torch before it is needed."""
