"""Is this pipelines repository right for all four environments? No endpoint, no credentials, no engine."""
