"""Commands that run the processes of the server."""
