"""The background process: a schedule as data, a ticker that only enqueues, workers, logs without content."""
