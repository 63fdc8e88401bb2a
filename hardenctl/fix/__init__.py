"""The fix room."""
