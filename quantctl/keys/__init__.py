"""Key rotation of an environment's service user."""
