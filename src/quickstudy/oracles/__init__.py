"""What an agent scores that knows more, or computes exactly: the bar beside every score."""
