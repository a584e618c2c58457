"""The editor of a rule: its condition, where and when it holds, what is to be done, and what it would have raised."""
