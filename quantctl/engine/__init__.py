"""The engine: the only code that starts `pulumi`."""
