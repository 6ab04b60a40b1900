"""When things happen: the one training loop, and how one optimizer takes one step."""
