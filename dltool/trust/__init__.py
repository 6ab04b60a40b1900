"""What only the command line may request: access beyond the machine or the output root, and running user code."""
