"""Work of a home server beside requests: the schedule, and the consumers of queues and stream."""
