"""The doors to what is outside: workspace, account, Git and forge. Reads only, in seconds."""
