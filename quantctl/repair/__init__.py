"""`quantctl repair ENV`: what an update that failed or was killed has left, found and put right."""
