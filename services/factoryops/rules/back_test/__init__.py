"""A rule against recorded history: the same machines as live, fed with columns of months."""
