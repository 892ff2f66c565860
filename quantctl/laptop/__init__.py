"""The sandbox from a shell; the only code that imports `sandbox`."""
