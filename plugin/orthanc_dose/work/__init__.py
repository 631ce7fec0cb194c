"""Work beside requests: what follows the feed of changed studies."""
