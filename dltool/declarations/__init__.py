"""How a Python class or function becomes an option of a config group."""
