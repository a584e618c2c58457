"""View models: what a page shows and does, without Qt, tested without a screen."""
