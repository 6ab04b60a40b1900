"""What can be seen inside a network: what its units look at, what its layers make of an image."""
