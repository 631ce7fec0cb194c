"""Work beside requests: tasks, the clock, and followers of the feed of changed studies."""
