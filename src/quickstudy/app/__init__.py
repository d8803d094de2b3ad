"""What people touch: the command line, its commands, and the pages they write."""
