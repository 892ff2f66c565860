"""The providers' own tests of what we declare, run from the Go module cache against a fresh sandbox: `make vendor-tests`."""
