"""What only a command line may ask for: leaving the machine or the output root, and running a user's own code."""
