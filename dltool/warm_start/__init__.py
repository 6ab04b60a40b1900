"""Training that begins with weights from elsewhere: `init_from`."""
