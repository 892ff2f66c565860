"""What is allowed, printed: access, settings, workflow schema."""
